/** Why an error does not help whoever sees it; null for good ones. */
export function fault(error: unknown): string | null;

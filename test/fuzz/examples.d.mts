export const folders: readonly string[];

export interface Example {
  readonly place: string;
  readonly code: string;
  readonly places: readonly string[];
}

export function examples(folders: readonly string[]): Example[];

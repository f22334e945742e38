/** A page of the docs with the blocks that show a file as the files are now. */
export function withFiles(markdown: string): string;

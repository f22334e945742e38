/** The files of this package in stack traces: sources, compiled files, or a bundle. */
const own = /[/\\](?:packages[/\\]\w+|@gradgate[/\\]\w+)[/\\](?:src|dist)[/\\]/;

/** The innermost line of the stack that is not in one of these packages; null if there is none. */
export function placeOutside(): string | null {
  for (const line of String(new Error().stack).split('\n').slice(1)) {
    const at = /\(?((?:file:|\/|[A-Za-z]:|https?:)[^()\s]*:\d+:\d+)\)?$/.exec(line)?.[1];
    if (at !== undefined && !own.test(at)) return at;
  }
  return null;
}

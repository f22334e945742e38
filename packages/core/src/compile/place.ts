/** Where this package's code is, as stack traces show it: sources, their compiled form, or a bundle. */
const own = /[/\\](?:packages[/\\]\w+|@gradgate[/\\]\w+)[/\\](?:src|dist)[/\\]/;

/** The innermost place on the stack that is not in one of these packages; null where there is none. */
export function placeOutside(): string | null {
  for (const line of String(new Error().stack).split('\n').slice(1)) {
    const at = /\(?((?:file:|\/|[A-Za-z]:|https?:)[^()\s]*:\d+:\d+)\)?$/.exec(line)?.[1];
    if (at !== undefined && !own.test(at)) return at;
  }
  return null;
}

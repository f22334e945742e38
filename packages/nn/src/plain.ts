/** How deep samples and states may be nested: what is deeper most likely contains itself. */
export const maxDepth = 64;

/** Whether a value is an object literal or without a prototype, in this realm or another (an iframe, `node:vm`). */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.prototype.toString.call(value) === '[object Object]')
  );
}

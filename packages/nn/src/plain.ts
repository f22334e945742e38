/** How deep samples and states may be nested; deeper ones most likely contain themselves. */
export const maxDepth = 64;

const tagOf = (value: object): string => Object.prototype.toString.call(value);

/** Whether a value is an object literal or without a prototype, in this realm or another (an iframe, `node:vm`). */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && tagOf(value) === '[object Object]');
}

/**
 * Plain objects, and instances of classes with fields; not those that keep their value elsewhere, such as dates and
 * maps.
 */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  isPlain(value) ||
  (typeof value === 'object' && value !== null && tagOf(value) === '[object Object]' && Object.keys(value).length > 0);

/** A typed array of this realm; arrays of other realms are copied. Null for other values. */
export function typedArray(value: unknown): ArrayLike<number> | null {
  if (!ArrayBuffer.isView(value)) return null;
  const Own = (globalThis as unknown as Record<string, { new (values: unknown): ArrayLike<number> } | undefined>)[
    tagOf(value).slice(8, -1)
  ];
  if (!Own || tagOf(value) === '[object DataView]') return null;
  return value instanceof Own ? (value as unknown as ArrayLike<number>) : new Own(value);
}

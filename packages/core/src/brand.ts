/** What tensors and modules of all copies of the packages have; `instanceof` knows those of its own copy only. */
export const brand: unique symbol = Symbol.for('gradgate') as never;

/** The brand of what this copy makes. */
export const thisCopy: object = Object.freeze({});

/**
 * Whether another copy of the packages made this. The brands of packages that build on core have the brand of their
 * core as their prototype.
 */
export const isOfAnotherCopy = (value: unknown, own: object = thisCopy): boolean => {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  const copy = (value as { [brand]?: object })[brand];
  return copy !== undefined && copy !== own && !Object.prototype.isPrototypeOf.call(own, copy);
};

/** Why that cannot be taken: each copy has its own graph, memory and classes. */
export const twoCopies =
  'of another copy of gradgate; two copies are loaded, and cannot share tensors or modules: ' +
  'have one installed (npm ls @gradgate/core; "overrides"), and load it one way, bundled or not';

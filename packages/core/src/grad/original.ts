type AnyFunction = (...args: any[]) => any;

/** What reflect-metadata adds, where it is loaded: other decorators keep what they know about a function there. */
interface MetadataReflection {
  getOwnMetadataKeys?(target: object): unknown[];
  getOwnMetadata?(key: unknown, target: object): unknown;
  defineMetadata?(key: unknown, value: unknown, target: object): void;
}
const reflection = Reflect as MetadataReflection;

/** Whether a function is a class that only `new` can call. */
// Arrow functions, which most calls of `run` take, have no prototype, and need not be read.
export const isClass = (fn: Function): boolean =>
  fn.prototype !== undefined && startsAsClass(Function.prototype.toString.call(fn));

// Without a regular expression: one that is compiled where the stack ends throws a SyntaxError, rather than a RangeError.
const startsAsClass = (text: string): boolean =>
  text.startsWith('class') && (text[5] === '{' || text[5] === '/' || text[5]!.trim() === '');

/**
 * Makes `wrapper` look like `fn` to everybody else: name, length, own properties and metadata, as they are now, and what is
 * added to `fn` later is inherited from it. So the order in which decorators stand makes no difference.
 */
export function likeOriginal<F extends AnyFunction>(wrapper: F, fn: AnyFunction): F {
  carryOver(wrapper, fn);
  // Of the same kind too, for those who ask for `constructor` or a tag: an async function, a generator function.
  Object.setPrototypeOf(wrapper, fn);
  wrapper.prototype = fn.prototype;
  originals.set(wrapper, fn);
  return wrapper;
}

/** Gives `wrapper` the own properties and the metadata of `fn`. */
export function carryOver(wrapper: AnyFunction, fn: AnyFunction): void {
  for (const key of Reflect.ownKeys(fn)) {
    // What is fixed on each function by the language: `prototype`, and the like of `caller` on old ones.
    if (
      Object.getOwnPropertyDescriptor(wrapper, key)?.configurable === false ||
      key === 'arguments' ||
      key === 'caller'
    )
      continue;
    Object.defineProperty(wrapper, key, Object.getOwnPropertyDescriptor(fn, key)!);
  }
  for (const key of reflection.getOwnMetadataKeys?.(fn) ?? [])
    reflection.defineMetadata?.(key, reflection.getOwnMetadata?.(key, fn), wrapper);
}

const originals = new WeakMap<object, AnyFunction>();

/**
 * The function that a gate wrapped, without its guards; `fn` itself if none did.
 *
 * ```ts
 * const plain = () => isGradEnabled();
 * original(noGrad.wrap(plain)) === plain; // true
 * ```
 */
export function original<F extends AnyFunction>(fn: F): F {
  let inner: AnyFunction = fn;
  while (originals.has(inner)) inner = originals.get(inner)!;
  return inner as F;
}

type AnyFunction = (...args: any[]) => any;

/**
 * The functions that reflect-metadata adds, if it is loaded: other decorators store what they know about a function
 * there.
 */
interface MetadataReflection {
  getOwnMetadataKeys?(target: object): unknown[];
  getOwnMetadata?(key: unknown, target: object): unknown;
  defineMetadata?(key: unknown, value: unknown, target: object): void;
}
const reflection = Reflect as MetadataReflection;

/** Whether a function is a class that only `new` can call. */
// Arrow functions, which most calls of `run` take, have no prototype; their source need not be read.
export const isClass = (fn: Function): boolean =>
  fn.prototype !== undefined && startsAsClass(Function.prototype.toString.call(fn));

// Without a regular expression: compiling one at the end of the stack throws a SyntaxError rather than a RangeError.
const startsAsClass = (text: string): boolean =>
  text.startsWith('class') && (text[5] === '{' || text[5] === '/' || text[5]!.trim() === '');

/**
 * Makes `wrapper` look like `fn`: name, length, own properties and metadata as they are now; properties added to `fn`
 * later are inherited. So the order of decorators makes no difference.
 */
export function likeOriginal<F extends AnyFunction>(wrapper: F, fn: AnyFunction): F {
  carryOver(wrapper, fn);
  // The same kind of function too (async, generator), for code that asks for `constructor` or a tag.
  Object.setPrototypeOf(wrapper, fn);
  wrapper.prototype = fn.prototype;
  originals.set(wrapper, fn);
  return wrapper;
}

/** Copies the own properties and the metadata of `fn` to `wrapper`. */
export function carryOver(wrapper: AnyFunction, fn: AnyFunction): void {
  for (const key of Reflect.ownKeys(fn)) {
    // Properties that the language fixes on each function: `prototype`, and `caller` and the like on old ones.
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
 * The function that a gate wrapped, without its guards; `fn` itself if no gate did.
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

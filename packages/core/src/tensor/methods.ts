import { inNameOf } from '../errors.js';
import { Tensor } from './tensor.js';

// Operators as methods of tensors: their types, and how they get there.

/**
 * A function that takes a tensor first, as a method: with up to two overloads, and in its in-place form if its name
 * ends in `_`.
 */
type MethodOf<Name, F> = F extends {
  (x: any, ...a: infer A extends readonly any[]): infer R;
  (x: any, ...b: infer B extends readonly any[]): infer S;
}
  ? Name extends `${string}_`
    ? InPlaceForm<B>
    : Same<(...a: A) => R, (...b: B) => S> extends true
      ? (...b: B) => S
      : { (...a: A): R; (...b: B): S }
  : never;

type Same<A, B> = [A, B] extends [B, A] ? true : false;

/** Gives the tensor that it was called on. */
type InPlaceForm<Rest extends readonly any[]> = <T extends Tensor>(this: T, ...rest: Rest) => T;

/** Functions that take a tensor first, as methods. */
export type MethodsOf<F> = { [K in keyof F]: MethodOf<K, F[K]> };

/** The same for functions that a module exports, so that editors show each function's documentation at its method. */
export type MethodsFrom<Module, Names> = MethodsOf<Pick<Module, keyof Module & keyof Names>>;

/** Their in-place forms: see `withInPlace`. */
export type InPlaceOf<F> = {
  [K in keyof F as `${K & string}_`]: F[K] extends (x: any, ...rest: infer R extends readonly any[]) => unknown
    ? InPlaceForm<R>
    : never;
};

export type Method = (self: any, ...args: any[]) => unknown;

/**
 * Puts functions that take a tensor first onto `Tensor.prototype` as methods of the same name. What they refuse begins
 * with that name, unless they run code that is not theirs, which has its own.
 */
export function methods(functions: Record<string, Method>, { runOthers = false } = {}): void {
  for (const [name, fn] of Object.entries(functions)) {
    const method = function (this: Tensor, ...args: unknown[]) {
      try {
        return fn(this, ...args);
      } catch (error) {
        throw runOthers ? error : inNameOf(name, error);
      }
    };
    Object.defineProperty(method, 'name', { value: name });
    Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
  }
}

import { checkOptions, show } from '../check.js';
import { likeOriginal } from '../grad/original.js';
import { type CompileOptions, optionKinds } from './options.js';
import { type AnyFunction, Records } from './records.js';
import type { Compiled } from './report.js';

/**
 * Records the kernels that a function of tensors calls, and calls only these from then on: a forward pass, or
 * a whole training step with `backward()`, clipping, the optimizer's step and `zeroGrad()`. The JavaScript between
 * kernels does not run again, and results lie in memory that is planned once. They are the same to the last bit.
 *
 * A record is valid for calls of one signature: shapes, dtypes, strides and `requiresGrad` of all tensors, plain values
 * and identities of other arguments, the grad mode and every other mode, what `this` and the modules that are called
 * hold, and the outcome of each gate's condition, which is asked at each call. Other calls are recorded anew. As
 * without compiling, each call draws random numbers and runs steps of optimizers and schedulers.
 *
 * Other effects of the function happen in recorded calls only: `console.log`, counters in closures, reads of variables
 * around it. `{ check: true }` finds functions that depend on them. Functions that read values (`item()`, `toArray()`)
 * or are asynchronous run as they are, and `explain()` says so. The tensors that a call returns are new ones, unless
 * `reuseResults` is set. They have a graph, of one operation, if the plain function's would and no backward pass has gone through it.
 *
 * ```ts
 * const w = ones([2], { requiresGrad: true });
 * const step = compile((x: Tensor) => {
 *   w.grad = null;
 *   const loss = w.mul(x).sum();
 *   loss.backward();
 *   return loss;
 * });
 * step(tensor([1, 2])); // 3
 * step(tensor([3, 4])); // 7
 * w.grad; // [3, 4]
 * step.explain().replays; // 1
 * ```
 */
export function compile<F extends AnyFunction>(fn: F, options?: CompileOptions): F & Compiled;
/** As `@compile`, a decorator: the same for a method. */
export function compile<F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F & Compiled;
/** As `@compile`, a decorator of the legacy dialect (`experimentalDecorators`). */
export function compile(target: object, key: PropertyKey, descriptor: PropertyDescriptor): void;
export function compile(fn: unknown, second?: unknown, descriptor?: PropertyDescriptor): unknown {
  if (descriptor !== undefined) {
    if (typeof descriptor?.value !== 'function')
      throw new TypeError(`compile: decorates methods, and ${show(second)} is none`);
    descriptor.value = compiled(descriptor.value as AnyFunction, {});
    return undefined;
  }
  if (typeof fn !== 'function')
    throw new TypeError(`compile: takes a function, or decorates a method; got ${fn === null ? 'null' : typeof fn}`);
  if (isContext(second)) {
    if (second.kind !== 'method')
      throw new TypeError(`compile: decorates methods, not the ${second.kind} ${String(second.name)}`);
    return compiled(fn as AnyFunction, {});
  }
  return compiled(fn as AnyFunction, checkOptions('compile', second as CompileOptions | undefined, optionKinds));
}

const isContext = (value: unknown): value is DecoratorContext =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as DecoratorContext).kind === 'string' &&
  'name' in value;

function compiled<F extends AnyFunction>(fn: F, options: CompileOptions): F & Compiled {
  const records = new Records(fn, options);
  const call = function (this: unknown, ...args: unknown[]) {
    return records.call(this, args);
  } as F;
  return Object.assign(likeOriginal(call, fn), {
    explain: () => records.explain(),
    reset: () => records.reset(),
  });
}

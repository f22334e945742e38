import { createRequire } from 'node:module';
import { Generator } from '@gradgate/core';
import { KernelMemory } from '../../../../packages/core/src/backend/wasm/memory.js';
import { instantiate, type Kernels } from '../../../../packages/core/src/backend/wasm/module.js';
import { needNative } from '../../../needs.js';

const native = needNative('kernels in machine code');

/** Kernels over a memory of their own, for each set of instructions that this processor has. */
function inMachineCode(file: string): [string, KernelMemory][] {
  const sets = ['avx512', 'avx2', 'sse', 'neon'].map((name) => {
    const instance = instantiate(true);
    const kernels = createRequire(file)(file).attach(new Uint8Array(instance.memory.buffer), name);
    return (
      kernels && [name, new KernelMemory(Object.assign(instance, { kernels: { ...instance.kernels, ...kernels } }))]
    );
  });
  return sets.filter((set) => set !== undefined);
}

/** Kernels over a memory of their own. */
export const instances: [string, KernelMemory][] = [
  ['with fused multiply-add', new KernelMemory(instantiate(true))],
  ['without', new KernelMemory(instantiate(false))],
  ...(native ? inMachineCode(native) : []),
];

/** The bits of integers or doubles as float32, the form in which the tests pass them to kernels. */
export const bits = (x: Int32Array | Float64Array): Float32Array =>
  new Float32Array(x.buffer, x.byteOffset, x.byteLength / 4);

/**
 * Calls `call` with the addresses of inputs and of results with these numbers of floats, and returns the results. After each
 * result there is a mark that must not change: another thread's row could follow.
 */
export function run(
  memory: KernelMemory,
  inputs: readonly Float32Array[],
  results: readonly number[],
  call: (kernels: Kernels, ...addresses: number[]) => void,
): Float32Array[] {
  memory.begin('test', 2 ** 20);
  const from = inputs.map((x) => {
    const at = memory.take((x.length + 4) * 4);
    // The memory after the last row may hold anything.
    memory.fill(at, Number.NaN, x.length + 4);
    memory.write(at, x, 0, x.length);
    return at;
  });
  const mark = 12345.5;
  const to = results.map((n) => {
    const at = memory.take((n + 1) * 4);
    memory.fill(at, mark, n + 1);
    return at;
  });
  call(memory.instance.kernels, ...from, ...to);
  return results.map((n, i) => {
    const all = new Float32Array(n + 1);
    memory.get(to[i]!, all, 0, n + 1);
    if (all[n] !== mark) throw new Error(`result ${i} of ${n} was written beyond its end`);
    return all.subarray(0, n);
  });
}

/** Normal numbers and some special ones. */
export function normals(n: number, seed: number, scale = 1, odd: readonly number[] = []): Float32Array {
  const generator = new Generator(seed);
  return Float32Array.from({ length: n }, () =>
    odd.length > 0 && generator.below(8) === 0 ? odd[generator.below(odd.length)]! : generator.normal() * scale,
  );
}

/** Whether two numbers are within `relative` and `absolute`, or are the same special value. */
export const near = (got: number, want: number, relative: number, absolute: number): boolean =>
  Object.is(got, want) ||
  (Number.isNaN(got) && Number.isNaN(want)) ||
  Math.abs(got - want) <= Math.abs(want) * relative + absolute;

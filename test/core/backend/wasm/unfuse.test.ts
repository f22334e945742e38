import { expect, it } from 'vitest';
import { instantiate } from '../../../../packages/core/src/backend/wasm/module.js';
import { unfuse } from '../../../../packages/core/src/backend/wasm/unfuse.js';

const f32 = 0x7d;
const get = (local: number) => [0x20, local];
const splat = [0xfd, 0x13];
const madd = [0xfd, 0x85, 0x02];
const lane0 = [0xfd, 0x1f, 0];
const end = 0x0b;
const sized = (bytes: number[]) => [bytes.length, ...bytes];
const section = (id: number, ...contents: number[]) => [id, ...sized(contents)];

/** `fma(a, b, c)`, which has a local variable of its own, and `second(a, b, c)`, which multiplies nothing. */
const module = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, 1, 0x60, 3, f32, f32, f32, 1, f32),
  ...section(3, 2, 0, 0),
  ...section(7, 2, ...sized([...Buffer.from('fma')]), 0, 0, ...sized([...Buffer.from('second')]), 0, 1),
  ...section(
    10,
    2,
    // The local variable takes `c` first.
    ...sized([
      1,
      1,
      f32,
      ...get(2),
      0x21,
      3,
      ...[0, 1, 3].flatMap((i) => [...get(i), ...splat]),
      ...madd,
      ...lane0,
      end,
    ]),
    ...sized([0, ...get(1), end]),
  ),
]);

it('a fused multiply-add becomes a product that is rounded, and a sum', () => {
  // Node 20 takes relaxed SIMD once it is asked for.
  instantiate(true);
  const x = 1 + 2 ** -12;
  const run = (bytes: Uint8Array) => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
    const { fma, second } = exports as Record<string, (...args: number[]) => number>;
    return [fma!(x, x, -(1 + 2 ** -11)), fma!(2, 3, 4), second!(5, 6, 7)];
  };
  expect(run(module)).toEqual([2 ** -24, 10, 6]);
  expect(run(unfuse(module))).toEqual([0, 10, 6]);
});

it('a module without one stays as it is', () => {
  const plain = unfuse(module);
  expect(unfuse(plain)).toEqual(plain);
});

import { manualSeed, noGrad, ones, randn, TensorError } from '@gradgate/core';
import { optim, Parameter } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import type { Geometry } from '../../../../packages/core/src/backend/convolution.js';
import * as host from '../../../../packages/core/src/backend/host/kernels.js';
import type { Kernels, View } from '../../../../packages/core/src/backend/kernels.js';
import { runChain } from '../../../../packages/core/src/backend/wasm/chain.js';
import { kernels } from '../../../../packages/core/src/backend/wasm/kernels.js';

manualSeed(0);
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A contiguous view of an array in kernel memory, behind which other tensors lie. */
function view(...shape: number[]): View {
  const { storage } = new Parameter(randn([size(shape)]));
  const strides = shape.map((_, i) => size(shape.slice(i + 1)));
  return { storage, dtype: 'float32', shape, numel: size(shape), strides, offset: 0, isContiguous: true };
}

/** Integers are never in kernel memory, but kernels that take them copy them there. */
function integers(...shape: number[]): View {
  const v = view(...shape);
  return { ...v, dtype: 'int32', storage: { ...v.storage, data: new Int32Array(v.numel) } as never };
}

/** The view as it was, over an array that is one element shorter. */
function cut(v: View): View {
  const { data } = v.storage as unknown as { data: Float32Array };
  return { ...v, storage: { ...v.storage, data: data.subarray(0, data.length - 1) } as never };
}

const geometry: Geometry = {
  ...{ batch: 2, groups: 1, inputs: 4, outputs: 8, h: 16, w: 16 },
  window: { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1] },
  positions: [16, 16],
};
const pool = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] } as const;
const image = (channels: number): View => view(2, channels, 16, 16);
const channels = { batch: 4, channels: 8, inner: 64, together: 0 };
const fn = (name: string): any => ({ name, forward: () => 0 });

/** A step of an optimizer: the kernel of this name, or the loop where there is none. */
const rule = (name: string): any => ({
  name,
  loop: (p: Float32Array, g: Float32Array) => {
    for (let i = 0; i < p.length; i++) p[i]! -= g[i]!;
  },
});

type Call = { [K in keyof Kernels]: [K, ...Parameters<Kernels[K]>] }[keyof Kernels];

/** A call of every kernel that has a form in WebAssembly. */
const calls: readonly Call[] = [
  ['unary', fn('exp'), view(4096), view(4096)],
  ['binary', fn('add'), view(4096), view(4096), view(4096)],
  ['binary', fn('add'), view(256, 64), view(64), view(256, 64)],
  ['copy', { ...view(64, 64), strides: [1, 64], isContiguous: false }, view(64, 64)],
  ['reduce', 'sum', view(64, 64), [1], view(64)],
  ['reduce', 'sum', view(64, 64), [0], view(64)],
  ['reduce', 'mean', view(64, 64), [1], view(64)],
  ['reduce', 'amax', view(64, 64), [1], view(64)],
  ['reduce', 'amin', view(64, 64), [0], view(64)],
  ['reduce', 'argmax', view(64, 64), [1], integers(64)],
  ['reduce', 'norm', view(64, 64), [1], view(64)],
  ['variance', view(64, 64), [1], 1, false, view(64), view(64)],
  ['variance', view(64, 64), [0], 1, false, view(64), view(64)],
  ['varianceGradient', view(64, 64), [1], view(64), view(64), view(64, 64)],
  ['matmul', view(64, 64), false, view(64, 64), false, view(64, 64), view(64)],
  ['matmul', view(4, 32, 32), false, view(4, 32, 32), true, view(4, 32, 32), null],
  ['conv', image(4), view(8, 4, 3, 3), view(8), geometry, image(8)],
  ['convInput', image(8), view(8, 4, 3, 3), geometry, image(4)],
  ['convWeight', image(8), image(4), geometry, view(8, 4, 3, 3)],
  ['softmax', 'softmax', view(64, 64), 1, view(64, 64)],
  ['softmax', 'logSoftmax', view(64, 64), 0, view(64, 64)],
  ['softmaxGradient', 'softmax', view(64, 64), view(64, 64), 1, 1, view(64, 64)],
  ['logsumexp', view(64, 64), [1], view(64)],
  ['attentionWeights', view(2, 32, 32), 1, true, view(2, 32, 32)],
  ['normRows', view(64, 64), view(64), view(64), 1e-5, true, view(64, 64), view(64), view(64)],
  ['normRows', view(64, 64), null, null, 1e-5, true, view(64, 64), view(64), view(64)],
  [
    ...(['normRowsGradient', view(64, 64), view(64, 64), view(64), view(64), view(64), true] as const),
    ...([view(64, 64), view(64), view(64)] as const),
  ],
  ['normChannels', view(4, 8, 64), view(8), view(8), channels, 1e-5, view(4, 8, 64), view(8), view(8)],
  ['scaleChannels', view(4, 8, 64), view(8), view(8), view(4, 8, 64)],
  ['crossEntropy', view(64, 64), integers(64), -100, 'none', view(64), view(64, 64), integers(64)],
  ['crossEntropyGradient', view(64), view(64, 64), integers(64), 'none', view(64, 64)],
  ['pairLoss', 'squaredError', view(4096), view(4096), 1, view(1)],
  ['pairLossGradient', 'squaredError', view(1), view(4096), view(4096), 1, view(4096)],
  ['maxPool', image(4), pool as never, view(2, 4, 8, 8), integers(2, 4, 8, 8)],
  ['maxPoolGradient', view(2, 4, 8, 8), integers(2, 4, 8, 8), image(4)],
  ['step', rule('sgd'), view(4096), view(4096), [], [1, 0, 1, 0, 1, 0, 1]],
  ['step', rule('momentum'), view(4096), view(4096), [view(4096)], [1, 0, 1, 0, 1, 0, 1]],
];

const isView = (x: unknown): x is View => typeof x === 'object' && x !== null && 'storage' in x;
const run = (table: Kernels, [name, ...args]: readonly unknown[]): unknown =>
  (table[name as keyof Kernels] as (...args: unknown[]) => unknown)(...args);

const refused = /would go to element/;
const dataOf = (v: View) => (v.storage as unknown as { data: Float32Array }).data;

/** What a call does to its views, where one of them is short and `behind` lies behind it; null where it is refused. */
function outcome(table: Kernels, call: Call, short: number, behind: number): unknown {
  const views = call.flat().filter(isView);
  const before = views.map((v) => dataOf(v).slice());
  const given = call[short] as View;
  const data = dataOf(given);
  data[data.length - 1] = behind;
  try {
    run(
      table,
      call.map((x, i) => (i === short ? cut(given) : x)),
    );
    expect(data.at(-1), `what lies behind view ${short}`).toBe(behind);
    return views.map((v) => [...dataOf(v).subarray(0, v === given ? -1 : undefined)]);
  } catch (error) {
    if (!(error instanceof TensorError || error instanceof RangeError)) throw error;
    expect(data.at(-1), `what lies behind view ${short}`).toBe(behind);
    return null;
  } finally {
    for (const [i, v] of views.entries()) dataOf(v).set(before[i]!);
  }
}

describe.each([
  ['WebAssembly', kernels],
  ['plain loops', host.kernels],
])('%s: a kernel neither reads nor writes what lies behind an array that is short', (_, table) => {
  it.each(calls.map((call) => [`${call[0]} ${call.filter((x) => typeof x === 'string').slice(1)}`, call] as const))(
    '%s',
    (_, call) => {
      call.forEach((given, i) => {
        if (isView(given)) expect(outcome(table, call, i, 3), `view ${i}`).toEqual(outcome(table, call, i, 5));
      });
      // With arrays that are long enough it runs.
      expect(() => run(table, call)).not.toThrow();
    },
  );
});

it('a chain of elementwise kernels refuses an array that is short', () => {
  const place = (v: View) => ({ view: v, isScalar: false, isRead: true, isWritten: true });
  const link = { name: 'exp', operands: [0], result: 1, parameters: [] } as const;
  const [x, y] = [view(4096), view(4096)];
  expect(() => runChain({ links: [link], places: [place(cut(x)), place(y)], n: 4096 })).toThrow(refused);
  expect(() => runChain({ links: [link], places: [place(x), place(cut(y))], n: 4096 })).toThrow(refused);
});

it.each([
  ['SGD', (p: Parameter) => new optim.SGD([p], { lr: 1 })],
  ['SGD with momentum', (p: Parameter) => new optim.SGD([p], { lr: 1, momentum: 0.9 })],
  ['Adam', (p: Parameter) => new optim.Adam([p])],
  ['Lion', (p: Parameter) => new optim.Lion([p])],
  ['RMSprop', (p: Parameter) => new optim.RMSprop([p])],
  ['Adagrad', (p: Parameter) => new optim.Adagrad([p])],
] as const)('a step of %s on a part of a tensor leaves the rest of it as it is', (_, make) => {
  for (const n of [4095, 4093, 1025, 300]) {
    const whole = new Parameter(randn([4096])).detach();
    const before = whole.clone();
    const [part, alone] = [whole.narrow(0, 0, n), whole.narrow(0, 0, n).clone()];
    for (const p of [part, alone]) {
      p.requiresGrad_();
      p.grad = ones([n]);
    }
    for (const p of [part, alone]) make(p as never).step();
    noGrad.run(() => {
      expect(whole.narrow(0, n, 4096 - n).toArray()).toEqual(before.narrow(0, n, 4096 - n).toArray());
      expect(part.sub(alone).abs().max().item()).toBeLessThan(1e-6);
    });
  }
});

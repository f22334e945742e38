import { readFileSync } from 'node:fs';
import { ones, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import * as nn from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { camelCase, goldenError } from '../golden/golden.js';

interface Data {
  shape: number[];
  data: number[];
}
/** Made by test/golden/make_nn.py. */
const lines: Record<string, any>[] = readFileSync(new URL('../golden/nn.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((l) => JSON.parse(l))
  .filter((l) => l.kind === 'packed');
const make = ({ shape, data }: Data, requiresGrad = false): Tensor => tensor(data, { shape, requiresGrad });
const parameter = (name: string) => Object.keys(camelCase({ [name]: 0 }))[0]!;

describe('recurrent layers over packed sequences give the values and gradients of PyTorch', () => {
  it.each(lines.map((l) => [`${l['name']} ${JSON.stringify(l['options'])}`, l] as const))('%s', (_, line) => {
    const layer = new (nn as Record<string, any>)[line['name']](...line['args'], line['options']) as nn.LSTM;
    layer.loadStateDict(Object.fromEntries(Object.entries(line['state']).map(([k, v]) => [k, make(v as Data)])));
    const sequences = line['sequences'].map((s: Data) => make(s, true)) as Tensor[];
    const states = line['states'].map((s: Data) => make(s, true)) as Tensor[];
    const given = states.length === 0 ? [] : states.length === 2 ? [states] : [states[0]];
    const [out, last] = layer(nn.packSequence(sequences, { enforceSorted: false }), ...(given as []));
    expect(out).toBeInstanceOf(nn.PackedSequence);
    expect(out.batchSizes).toEqual(line['batchSizes']);
    const flat = [out.data, ...(Array.isArray(last) ? last : [last])] as Tensor[];
    flat.forEach((t, i) => {
      expect(t.shape).toEqual(line['outputs'][i].shape);
      expect(goldenError(t, line['outputs'][i].data), `output ${i}`).toBeLessThan(2e-5);
    });
    flat
      .map((t, i) => t.mul(make(line['weights'][i])).sum())
      .reduce((a, b) => a.add(b))
      .backward();
    const grads = Object.fromEntries([...layer.namedParameters()].map(([k, p]) => [k, p.grad]));
    for (const [k, g] of Object.entries(line['grads'] as Record<string, Data>))
      expect(goldenError(grads[parameter(k)]!, g.data), k).toBeLessThan(1e-4);
    [...sequences, ...states].forEach((t, i) => {
      expect(goldenError(t.grad!, line['inputGrads'][i].data), `input ${i}`).toBeLessThan(1e-4);
    });
  });
});

it('each packed sequence has the outputs and states that it has alone, also padded again', () => {
  const gru = new nn.GRU(3, 4, { bidirectional: true, numLayers: 2 });
  const sequences = [2, 5, 3].map((n) => randn([n, 3]));
  const [out, last] = gru(nn.packSequence(sequences, { enforceSorted: false }));
  const [padded, lengths] = nn.padPackedSequence(out);
  expect(lengths).toEqual([2, 5, 3]);
  sequences.forEach((s, i) => {
    const [alone, state] = gru(s);
    expect(goldenError(padded.select(1, i).narrow(0, 0, s.shape[0]!), alone.toTypedArray())).toBeLessThan(1e-6);
    expect(goldenError(last.select(1, i), state.toTypedArray())).toBeLessThan(1e-6);
  });
});

it('packed sequences have first and second gradients', () => {
  const rnn = new nn.RNN(2, 2, { bidirectional: true }).to('float64');
  const leaves = [3, 1].map((n) => randn([n, 2], { dtype: 'float64', requiresGrad: true }));
  const f = (...s: Tensor[]) => nn.padPackedSequence(rnn(nn.packSequence(s))[0])[0];
  expect(gradcheck(f, leaves)).toBe(true);
  expect(gradgradcheck(f, leaves)).toBe(true);
});

it('sequences of any dtype and further dimensions are padded, packed and unpacked', () => {
  const words = [tensor([3, 1, 2], { dtype: 'int32' }), tensor([7], { dtype: 'int32' })];
  expect(nn.padSequence(words, { paddingValue: 9 }).toArray()).toEqual([
    [3, 7],
    [1, 9],
    [2, 9],
  ]);
  const back = nn.unpackSequence(nn.packSequence([...words].reverse(), { enforceSorted: false }));
  expect(back.map((t) => [t.dtype, t.toArray()])).toEqual([
    ['int32', [7]],
    ['int32', [3, 1, 2]],
  ]);
  const deep = nn.packSequence([ones([2, 3, 4]), zeros([1, 3, 4])]);
  expect([deep.data.shape, deep.batchSizes, deep.sortedIndices]).toEqual([[3, 3, 4], [2, 1], null]);
  const lengths = tensor([1, 2], { dtype: 'int32' });
  const packed = nn.packPaddedSequence(zeros([2, 2]), lengths, { enforceSorted: false });
  expect([packed.batchSizes, packed.sortedIndices, packed.unsortedIndices]).toEqual([
    [2, 1],
    [1, 0],
    [1, 0],
  ]);
});

describe('bad input is refused by name', () => {
  const rnn = new nn.RNN(3, 4);
  const two = () => [ones([2, 3]), ones([1, 3])];
  it.each<[string, () => unknown, RegExp]>([
    ['no sequences', () => nn.padSequence([]), /^padSequence: there are no sequences/],
    [
      'a tensor in the place of sequences',
      () => nn.padSequence(ones([2]) as never),
      /^padSequence: the sequences must be/,
    ],
    // Views of one number: nothing of this size is made.
    [
      'a result of 16 GiB',
      () => nn.padSequence([ones([1]).expand([2 ** 31]), ones([0])]),
      /^padSequence: .*4294967296 elements/,
    ],
    [
      'a result of 24 GiB',
      () => nn.padSequence([ones([1]).expand([3e9]), ones([0])]),
      /^padSequence: .*6000000000 elements/,
    ],
    [
      'sequences that do not fit',
      () => nn.packSequence([ones([2, 3]), ones([2, 4])]),
      /^packSequence: sequences must be/,
    ],
    ['sequences that rise', () => nn.packSequence(two().reverse()), /^packSequence: lengths \[1, 2\] do not fall/],
    ['an empty sequence', () => nn.packSequence([ones([2]), ones([0])]), /^packSequence: sequence 1 is empty/],
    ['a length too many', () => nn.packPaddedSequence(ones([3, 2]), [3, 2, 1]), /^packPaddedSequence: takes a length/],
    [
      'a length too long',
      () => nn.packPaddedSequence(ones([3, 2]), [4, 1]),
      /^packPaddedSequence: takes a length from 1 to 3/,
    ],
    ['a length of 0', () => nn.unpadSequence(ones([3, 2]), [3, 0]), /^unpadSequence: takes a length/],
    ['a number', () => nn.unpadSequence(ones([]), [1]), /^unpadSequence: takes \[L, N, ...\]/],
    ['an option that is none', () => nn.packSequence(two(), { sorted: true } as never), /^packSequence: .*sorted/],
    [
      'a total length that is too short',
      () => nn.padPackedSequence(nn.packSequence(two()), { totalLength: 1 }),
      /^padPackedSequence: totalLength 1/,
    ],
    [
      'a tensor that is not packed',
      () => nn.padPackedSequence(ones([2]) as never),
      /^padPackedSequence: the sequence must be a PackedSequence/,
    ],
    ['batch sizes that rise', () => new nn.PackedSequence(ones([3]), [1, 2]), /^PackedSequence: batchSizes never rise/],
    ['an order that is none', () => new nn.PackedSequence(ones([2]), [2], [0, 0]), /^PackedSequence: sortedIndices/],
    [
      'features that do not fit',
      () => rnn(nn.packSequence([ones([2, 4])])),
      /^RNN: takes packed sequences of \[length, 3\]/,
    ],
    [
      'a state that does not fit',
      () => rnn(nn.packSequence(two()), ones([1, 3, 4])),
      /^RNN: the initial state must be \[1, 2, 4\]/,
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

it('sequences that change while they are read are read once', () => {
  const changing = (from: number) => {
    let reads = 0;
    const usual = [ones([1000]), ones([2])];
    const get = (of: Tensor[], key: string | symbol, self: unknown) =>
      key === '0' && ++reads > from ? ones([1]) : Reflect.get(of, key, self);
    return new Proxy(usual, { get });
  };
  for (let from = 0; from < 8; from++) {
    const padded = nn.padSequence(changing(from), { batchFirst: true });
    expect(padded.toArray()).toEqual(
      nn.padSequence([ones([padded.select(0, 0).sum().item()]), ones([2])], { batchFirst: true }).toArray(),
    );
    const packed = nn.packSequence(changing(from), { enforceSorted: false });
    expect(packed.data.sum().item()).toBe(packed.batchSizes.reduce((a, b) => a + b));
  }
});

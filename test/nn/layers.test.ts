import {
  allclose,
  arange,
  cat,
  eye,
  Generator,
  manualSeed,
  noGrad,
  ones,
  randn,
  type Tensor,
  tensor,
  zeros,
} from '@gradgate/core';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import * as nn from '@gradgate/nn';
import { functional as F, init } from '@gradgate/nn';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

beforeEach(() => void manualSeed(7));
afterEach(() => void manualSeed(7));

const sequence = () => randn([5, 2, 8]);
const image = () => randn([2, 4, 6, 6]);
const words = () =>
  tensor(
    [
      [0, 1],
      [2, 3],
    ],
    { dtype: 'int32' },
  );

/** A layer, its arguments, the shapes of its outputs, and how many parameters it has. */
const layers: [string, () => nn.Module, () => Tensor[], number[][], number][] = [
  ['Linear', () => new nn.Linear(8, 3), () => [sequence()], [[5, 2, 3]], 27],
  ['Bilinear', () => new nn.Bilinear(8, 8, 2), () => [sequence(), sequence()], [[5, 2, 2]], 130],
  ['Conv1d', () => new nn.Conv1d(2, 4, 3, { padding: 'same' }), () => [sequence()], [[5, 4, 8]], 28],
  ['Conv2d', () => new nn.Conv2d(4, 8, [3, 1], { groups: 2 }), () => [image()], [[2, 8, 4, 6]], 56],
  ['ConvTranspose1d', () => new nn.ConvTranspose1d(2, 4, 3), () => [sequence()], [[5, 4, 10]], 28],
  ['ConvTranspose2d', () => new nn.ConvTranspose2d(4, 2, 2, { stride: 2 }), () => [image()], [[2, 2, 12, 12]], 34],
  ['BatchNorm1d', () => new nn.BatchNorm1d(2), () => [sequence()], [[5, 2, 8]], 4],
  ['BatchNorm2d', () => new nn.BatchNorm2d(4), () => [image()], [[2, 4, 6, 6]], 8],
  ['LayerNorm', () => new nn.LayerNorm([2, 8]), () => [sequence()], [[5, 2, 8]], 32],
  ['RMSNorm', () => new nn.RMSNorm(8), () => [sequence()], [[5, 2, 8]], 8],
  ['GroupNorm', () => new nn.GroupNorm(2, 4), () => [image()], [[2, 4, 6, 6]], 8],
  ['InstanceNorm1d', () => new nn.InstanceNorm1d(2, { affine: true }), () => [sequence()], [[5, 2, 8]], 4],
  ['Embedding', () => new nn.Embedding(4, 3), () => [words()], [[2, 2, 3]], 12],
  ['EmbeddingBag', () => new nn.EmbeddingBag(4, 3), () => [words()], [[2, 3]], 12],
  ['PReLU', () => new nn.PReLU(2), () => [sequence()], [[5, 2, 8]], 2],
  [
    'RNN',
    () => new nn.RNN(8, 3, { nonlinearity: 'relu' }),
    () => [sequence()],
    [
      [5, 2, 3],
      [1, 2, 3],
    ],
    39,
  ],
  [
    'LSTM',
    () => new nn.LSTM(8, 3, { numLayers: 2, bidirectional: true }),
    () => [sequence()],
    [
      [5, 2, 6],
      [4, 2, 3],
      [4, 2, 3],
    ],
    576,
  ],
  [
    'GRU',
    () => new nn.GRU(8, 3, { batchFirst: true, bias: false }),
    () => [sequence()],
    [
      [5, 2, 3],
      [1, 5, 3],
    ],
    99,
  ],
  [
    'MultiheadAttention',
    () => new nn.MultiheadAttention(8, 2),
    () => [sequence()],
    [
      [5, 2, 8],
      [2, 5, 5],
    ],
    288,
  ],
  [
    'TransformerEncoder',
    () => new nn.TransformerEncoder(() => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 4 }), 2),
    () => [sequence()],
    [[5, 2, 8]],
    792,
  ],
  [
    'Transformer',
    () => new nn.Transformer({ dModel: 8, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 4 }),
    () => [sequence(), randn([3, 2, 8])],
    [[3, 2, 8]],
    1128,
  ],
];
const flat = (out: unknown): Tensor[] => (Array.isArray(out) ? out.flatMap(flat) : [out as Tensor]);

describe.each(layers)('%s', (_, make, inputs, shapes, count) => {
  it('gives outputs of the right shapes, has the right number of parameters, and reaches all with gradients', () => {
    const layer = make();
    const out = flat(layer(...inputs()));
    expect(out.map((t) => t.shape)).toEqual(shapes);
    expect([...layer.parameters()].reduce((n, p) => n + p.numel, 0)).toBe(count);
    out[0]!.mul(randn(out[0]!.shape)).sum().backward();
    for (const [name, p] of layer.namedParameters()) {
      expect(p.grad, name).not.toBeNull();
      // Attention's key bias shifts all scores of a row alike: its gradient is 0, so a part of the whole is enough.
      expect(p.grad!.abs().sum().item(), name).toBeGreaterThan(0);
    }
  });

  it('goes on the same from its state in another instance, in eval', () => {
    const [from, to] = [make(), make()];
    from(...inputs());
    to.loadStateDict(from.stateDict());
    const given = inputs();
    const run = (m: nn.Module) => flat(m.eval()(...given)).map((t) => t.toArray());
    expect(run(to)).toEqual(run(from));
  });

  it('has a clone that computes the same with tensors of its own', () => {
    const layer = make().eval();
    const copy = layer.clone();
    const given = inputs();
    expect(flat(copy(...given)).map((t) => t.toArray())).toEqual(flat(layer(...given)).map((t) => t.toArray()));
    const own = new Set(layer.parameters());
    expect([...copy.parameters()].filter((p) => own.has(p))).toEqual([]);
  });

  it('records nothing under noGrad', () => {
    expect(noGrad.run(() => flat(make()(...inputs()))).map((t) => t.requiresGrad)).not.toContain(true);
  });
});

describe('batch norm', () => {
  it('moves its statistics in training only, and normalizes by them in eval', () => {
    const bn = new nn.BatchNorm1d(1, { momentum: 0.5 });
    bn(tensor([[1], [3]]));
    expect([bn.runningMean!.item(), bn.runningVar!.item(), bn.numBatchesTracked!.item()]).toEqual([1, 1.5, 1]);
    bn.eval();
    expect(bn(tensor([[1]])).item()).toBe(0);
    expect(bn.numBatchesTracked!.item()).toBe(1);
  });

  it('leaves its statistics alone when it refuses a batch', () => {
    const bn = new nn.BatchNorm1d(2);
    expect(() => bn(ones([1, 2]))).toThrow(/more than one value for each channel, got \[1, 2\]/);
    expect(() => bn(ones([3, 5]))).toThrow(/BatchNorm1d: takes \[N, 2, ...\] of 2 or 3 dimensions, got \[3, 5\]/);
    expect([bn.runningMean!.toArray(), bn.numBatchesTracked!.item()]).toEqual([[0, 0], 0]);
  });
});

describe('recurrent layers', () => {
  it('go on from a state as in one go', () => {
    const lstm = new nn.LSTM(8, 3, { numLayers: 2 });
    const x = sequence();
    const [whole] = lstm(x);
    const [first, state] = lstm(x.narrow(0, 0, 2));
    const [second] = lstm(x.narrow(0, 2, 3), state);
    expect(allclose(cat([first, second]), whole, { atol: 1e-6 })).toBe(true);
  });

  it('are what their cells do step by step', () => {
    const [gru, cell] = [new nn.GRU(8, 3), new nn.GRUCell(8, 3)];
    const state = gru.stateDict();
    cell.loadStateDict(Object.fromEntries(Object.entries(state).map(([k, v]) => [k.replace('_l0', ''), v])));
    const x = sequence();
    let h: Tensor | undefined;
    for (const t of x) h = cell(t, h);
    expect(allclose(gru(x)[1].select(0, 0), h!, { atol: 1e-6 })).toBe(true);
  });

  it('name the shapes they were given and need', () => {
    const gru = new nn.GRU(8, 3);
    expect(() => gru(ones([5, 2, 7]))).toThrow(/GRU: takes \[L, N, 8\] or \[L, 8\], got \[5, 2, 7\]/);
    expect(() => gru(sequence(), zeros([1, 3, 3]))).toThrow(/initial state must be \[1, 2, 3\], got \[1, 3, 3\]/);
    expect(() => new nn.RNN(2, 2, { nonlinearity: 'gelu' as never })).toThrow(
      /^RNN: nonlinearity must be 'tanh' or 'relu', got 'gelu'/,
    );
  });
});

describe('attention', () => {
  it('does not look at what its masks leave out', () => {
    const mha = new nn.MultiheadAttention(8, 2, { batchFirst: true });
    const x = randn([1, 4, 8]);
    const changed = cat([x.narrow(1, 0, 3), randn([1, 1, 8])], 1);
    const keyPaddingMask = tensor([[false, false, false, true]]);
    const attnMask = nn.causalMask(4);
    for (const masks of [{ keyPaddingMask }, { attnMask }, { isCausal: true }]) {
      const [a, b] = [mha(x, x, x, masks)[0], mha(x, changed, changed, masks)[0]];
      expect(allclose(a.narrow(1, 0, 3), b.narrow(1, 0, 3), { atol: 1e-6 })).toBe(true);
    }
    expect(mha(x, x, x, { keyPaddingMask })[1]!.at('...', 3).toArray()).toEqual([[0, 0, 0, 0]]);
    expect(mha(x, x, x, { needWeights: false })[1]).toBeNull();
    expect(() => mha(x, x, x, { attnMask, isCausal: true })).toThrow(/attnMask or isCausal, not both/);
    expect(() => new nn.MultiheadAttention(8, 3)).toThrow(/8 features cannot be split into 3 heads/);
  });
});

describe('dropout', () => {
  it.each([
    ['Dropout1d', () => new nn.Dropout1d(0.5), [8, 8, 4]],
    ['Dropout2d', () => new nn.Dropout2d(0.5), [8, 8, 2, 2]],
  ] as const)('%s drops whole channels, and passes through in eval', (_, make, shape) => {
    const layer = make();
    const y = layer(ones(shape)).reshape([64, 4]).toArray() as number[][];
    expect(y.every((c) => c.every((v) => v === c[0]))).toBe(true);
    expect(new Set(y.map((c) => c[0]))).toEqual(new Set([0, 2]));
    const x = ones(shape);
    expect(layer.eval()(x)).toBe(x);
  });

  it('AlphaDropout keeps mean and variance', () => {
    const y = new nn.AlphaDropout(0.3)(randn([20_000]));
    expect(y.mean().item()).toBeCloseTo(0, 1);
    expect(y.std().item()).toBeCloseTo(1, 1);
  });

  it('RReLU draws slopes in training, and takes the middle in eval', () => {
    const layer = new nn.RReLU(0.2, 0.4);
    const y = layer(ones([1000]).neg());
    expect(y.max().item()).toBeLessThanOrEqual(-0.2);
    expect(y.min().item()).toBeGreaterThanOrEqual(-0.4);
    expect(y.std().item()).toBeGreaterThan(0.02);
    expect(
      layer
        .eval()(tensor([-1]))
        .item(),
    ).toBeCloseTo(-0.3, 6);
  });
});

describe('containers', () => {
  it('register what they hold, in order', () => {
    class Net extends nn.Module {
      list = new nn.ModuleList([new nn.Linear(1, 1), new nn.Linear(1, 2)]).append(new nn.Linear(2, 1, { bias: false }));
      dict = new nn.ModuleDict({ act: new nn.ReLU(), norm: new nn.LayerNorm(1) });
      scales = new nn.ParameterList([new nn.Parameter(ones([1]))]);
      named = new nn.ParameterDict({ w: new nn.Parameter(ones([2])) });
    }
    const net = new Net();
    expect(Object.keys(net.stateDict())).toEqual([
      'list.0.weight',
      'list.0.bias',
      'list.1.weight',
      'list.1.bias',
      'list.2.weight',
      'dict.norm.weight',
      'dict.norm.bias',
      'scales.0',
      'named.w',
    ]);
    expect([net.list.length, [...net.list].length, net.list.at(-1) === net.list[2], net.dict.keys()]).toEqual([
      3,
      3,
      true,
      ['act', 'norm'],
    ]);
    expect([net.dict.delete('act'), net.dict.has('act'), net.dict.get('act')]).toEqual([true, false, undefined]);
  });

  it('refuse what they cannot hold, and then hold nothing of it', () => {
    const list = new nn.ModuleList();
    expect(() => list.extend([new nn.ReLU(), 3 as never])).toThrow(/ModuleList: 1 must be a Module, got 3/);
    expect(list.length).toBe(0);
    expect(() => new nn.ModuleDict({ forward: new nn.ReLU() })).toThrow(/'forward' cannot be a member's name/);
    expect(() => new nn.ParameterList([ones([1]) as never])).toThrow(
      /ParameterList: 0 must be a Parameter, got a float32 tensor of shape \[1\]/,
    );
  });
});

describe('init', () => {
  const std = (t: Tensor) => t.std().item();

  it('fills with the variances of the papers', () => {
    const w = () => zeros([100, 60]);
    expect(std(init.xavierUniform_(w()))).toBeCloseTo(Math.sqrt(2 / 160), 2);
    expect(std(init.xavierNormal_(w(), 2))).toBeCloseTo(2 * Math.sqrt(2 / 160), 2);
    expect(std(init.kaimingNormal_(w(), { nonlinearity: 'relu' }))).toBeCloseTo(Math.sqrt(2 / 60), 2);
    expect(std(init.kaimingUniform_(w(), { mode: 'fanOut', nonlinearity: 'linear' }))).toBeCloseTo(0.1, 2);
    const t = init.truncNormal_(zeros([5000]), 0, 1, -1, 0.5);
    expect([t.min().item() >= -1, t.max().item() <= 0.5]).toEqual([true, true]);
    expect([init.calculateGain('tanh'), init.calculateGain('leakyRelu', 1)]).toEqual([5 / 3, 1]);
  });

  it('orthogonal_ makes orthonormal rows or columns', () => {
    for (const shape of [
      [3, 5],
      [5, 3],
      [4, 2, 2],
    ]) {
      const w = init.orthogonal_(zeros(shape), 2).reshape([shape[0]!, -1]);
      const gram = w.shape[0]! <= w.shape[1]! ? w.matmul(w.t()) : w.t().matmul(w);
      expect(allclose(gram, eye(gram.shape[0]!).mul(4), { atol: 1e-5 })).toBe(true);
    }
  });

  it('eye_, dirac_ and sparse_', () => {
    expect(init.eye_(zeros([2, 3])).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    const x = randn([1, 3, 5]);
    expect(F.conv1d(x, init.dirac_(zeros([3, 3, 3])), null, { padding: 1 }).toArray()).toEqual(x.toArray());
    const s = init.sparse_(zeros([10, 4]), 0.3, 1);
    expect(s.eq(0).int().sum(0).toArray()).toEqual([3, 3, 3, 3]);
  });

  it('refuses what it cannot fill', () => {
    expect(() => init.xavierUniform_(zeros([3]))).toThrow(/xavierUniform_: takes a weight \[out, in, ...\], got \[3\]/);
    expect(() => init.truncNormal_(zeros([3]), 0, 1, 9, 10)).toThrow(/almost nothing/);
    expect(() => init.kaimingNormal_(zeros([3, 3]), { mode: 'fan' as never })).toThrow(
      /'fanIn' or 'fanOut', got 'fan'/,
    );
  });
});

describe('bad input', () => {
  it.each([
    ['Conv2d', () => new nn.Conv2d(3, 4, 3, { groups: 2 }), /3 to 4 channels cannot be split into 2 groups/],
    ['GroupNorm', () => new nn.GroupNorm(3, 4), /4 channels cannot be split into 3 groups/],
    ['Embedding', () => new nn.Embedding(3, 2, { paddingIdx: 3 }), /paddingIdx 3 is out of range for 3 entries/],
    [
      'Embedding',
      () => new nn.Embedding(3, 2)(ones([1])),
      /indices must be integers such as int32 or int64, got float32/,
    ],
    ['Upsample', () => new nn.Upsample({})(image()), /either size or scaleFactor/],
    ['PixelShuffle', () => new nn.PixelShuffle(3)(image()), /takes \[\.\.\., C \* 3², H, W\], got \[2, 4, 6, 6\]/],
    ['MarginRankingLoss', () => new nn.MarginRankingLoss()(ones([2]), ones([3]), ones([2])), /\[2\] and target \[3\]/],
    [
      'MultiMarginLoss',
      () => new nn.MultiMarginLoss()(ones([1, 2]), arange(2, 3).int()),
      /class 2 is out of range for 2/,
    ],
    ['RReLU', () => new nn.RReLU(1, 0), /lower must not exceed upper/],
  ] as const)('%s says what was wrong', (_, run, message) => {
    expect(run).toThrow(message);
  });
});

describe('pieces', () => {
  it('layers without parameters print their options', () => {
    expect(`${new nn.Sequential(new nn.LeakyReLU(0.2), new nn.MaxPool2d(2, { stride: 1 }), new nn.Flatten())}`).toBe(
      'Sequential(\n  (0): LeakyReLU(0.2)\n  (1): MaxPool2d(2, stride=1)\n  (2): Flatten()\n)',
    );
  });

  it('EmbeddingBag takes offsets, also of empty bags', () => {
    const bag = new nn.EmbeddingBag(4, 1, { mode: 'sum' });
    bag.weight.detach().copy_(tensor([[1], [2], [3], [4]]));
    const out = bag(tensor([0, 1, 3], { dtype: 'int32' }), { offsets: tensor([0, 2, 2], { dtype: 'int32' }) });
    expect(out.toArray()).toEqual([[3], [0], [4]]);
  });

  it('EmbeddingBag weighs rows and ends at the last offset, with the numbers of PyTorch', () => {
    const bag = new nn.EmbeddingBag(3, 2, { mode: 'sum', includeLastOffset: true });
    expect(String(bag)).toBe('EmbeddingBag(3, 2, mode=sum, includeLastOffset=true)');
    bag.weight.detach().copy_(
      tensor([
        [1, 2],
        [3, 4],
        [5, 7],
      ]),
    );
    const int32 = (values: number[]) => tensor(values, { dtype: 'int32' });
    const perSampleWeights = tensor([0.5, 2, -1, 3], { requiresGrad: true });
    const out = bag(int32([0, 2, 1, 1]), { offsets: int32([0, 2, 3]), perSampleWeights });
    expect(out.toArray()).toEqual([
      [10.5, 15],
      [-3, -4],
    ]);
    out
      .mul(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      )
      .sum()
      .backward();
    expect(bag.weight.grad!.toArray()).toEqual([
      [0.5, 1],
      [-3, -4],
      [2, 4],
    ]);
    expect(perSampleWeights.grad!.toArray()).toEqual([5, 19, 25, 0]);
    expect(() => bag(int32([0]), { offsets: int32([0]) })).toThrow(/^EmbeddingBag: embeddingBag: offsets are empty/);
    expect(() => bag(int32([0]), { offsets: int32([0, 2]) })).toThrow(/offsets must ascend from 0 to at most 1/);
    const of = (options: object) =>
      nn.functional.embeddingBag(int32([0]), bag.weight, { offsets: int32([0]), ...options });
    expect(() => of({ perSampleWeights: ones([1]) })).toThrow(/perSampleWeights go with mode 'sum' only, got 'mean'/);
    expect(() => of({ perSampleWeights: ones([2]), mode: 'sum' })).toThrow(/must have the shape of the index, \[1\]/);
  });

  it('EmbeddingBag leaves out what fills bags up, with offsets too', () => {
    for (const mode of ['mean', 'sum', 'max'] as const) {
      const bag = new nn.EmbeddingBag(4, 3, { mode, paddingIdx: -4 });
      expect(bag.weight.select(0, 0).toArray()).toEqual([0, 0, 0]);
      const offsets = tensor([0, 3, 3], { dtype: 'int32' });
      const filled = bag(tensor([0, 3, 1, 0, 0], { dtype: 'int32' }), { offsets });
      const plain = bag(tensor([3, 1], { dtype: 'int32' }), { offsets: tensor([0, 2, 2], { dtype: 'int32' }) });
      expect(filled.sub(plain).abs().max().item()).toBeLessThan(1e-6);
    }
    expect(`${new nn.EmbeddingBag(4, 3, { paddingIdx: -4 })}`).toBe('EmbeddingBag(4, 3, mode=mean, paddingIdx=0)');
    expect(() => new nn.EmbeddingBag(4, 3, { paddingIdx: 4 })).toThrow('EmbeddingBag: paddingIdx 4 is out of range');
    expect(() =>
      nn.functional.embeddingBag(tensor([[1]], { dtype: 'int32' }), randn([3, 2]), { paddingIdx: 3 }),
    ).toThrow('embeddingBag: paddingIdx 3 is out of range for 3 entries');
  });

  it('Embedding.fromPretrained is frozen; its padding row gets no gradient otherwise', () => {
    const weight = randn([3, 2]);
    expect(nn.Embedding.fromPretrained(weight).weight.requiresGrad).toBe(false);
    const e = nn.Embedding.fromPretrained(weight, { freeze: false, paddingIdx: -1 });
    e(tensor([0, 2], { dtype: 'int32' }))
      .sum()
      .backward();
    expect([e.weight.toArray(), e.weight.grad!.toArray()]).toEqual([
      weight.toArray(),
      [
        [1, 1],
        [0, 0],
        [0, 0],
      ],
    ]);
  });

  it('pixelShuffle and pixelUnshuffle take any leading dimensions', () => {
    const batch = arange(48).reshape([2, 1, 4, 3, 2]);
    const one = nn.functional.pixelShuffle(batch.select(0, 1).select(0, 0), 2);
    expect(one.shape).toEqual([1, 6, 4]);
    const all = nn.functional.pixelShuffle(batch, 2);
    expect(all.select(0, 1).select(0, 0).toArray()).toEqual(one.toArray());
    expect(nn.functional.pixelUnshuffle(all, 2).toArray()).toEqual(batch.toArray());
    expect(() => nn.functional.pixelShuffle(ones([4, 4]), 2)).toThrow(/takes \[\.\.\., C \* 2², H, W\], got \[4, 4\]/);
  });

  it('convolutions take one image without a batch', () => {
    const [line, image] = [randn([3, 7]), randn([3, 6, 5])];
    for (const [layer, x] of [
      [new nn.Conv1d(3, 4, 3), line],
      [new nn.Conv2d(3, 4, 3), image],
      [new nn.ConvTranspose1d(3, 4, 3), line],
      [new nn.ConvTranspose2d(3, 4, 3), image],
    ] as const)
      expect(layer(x).toArray()).toEqual(layer(x.unsqueeze(0)).squeeze(0).toArray());
    expect(() => new nn.Conv2d(3, 4, 3)(line)).toThrow(/have 4 dimensions each/);
  });

  it('gumbelSoftmax gives one-hot vectors as often as the scores say, with the gradient of the soft ones', () => {
    const logits = tensor([0, Math.log(3)], { requiresGrad: true });
    const generator = new Generator(1);
    const draws = nn.functional.gumbelSoftmax(logits.expand(2000, 2), { hard: true, generator });
    expect(draws.sum(1).toArray()).toEqual(Array(2000).fill(1));
    expect(Math.abs(draws.mean(0).at(1).item() - 0.75)).toBeLessThan(0.05);
    draws.select(1, 0).sum().backward();
    expect(logits.grad!.at(0).item()).toBeGreaterThan(0);
    const soft = nn.functional.gumbelSoftmax(randn([3, 4]), { tau: 0.5, dim: 0 });
    expect(soft.sum(0).sub(1).abs().amax().item()).toBeLessThan(1e-6);
  });

  it('the probabilities of an adaptive softmax add up to 1, and are those of its targets', () => {
    const layer = new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10]);
    const x = randn([6, 8]);
    const target = tensor([0, 4, 9, 10, 19, 3], { dtype: 'int32' });
    const all = layer.logProb(x);
    expect(all.exp().sum(1).sub(1).abs().amax().item()).toBeLessThan(1e-5);
    const { output, loss } = layer(x, target);
    expect(
      output
        .sub(all.gather(1, target.unsqueeze(1)).squeeze(1))
        .abs()
        .amax()
        .item(),
    ).toBeLessThan(1e-5);
    expect(loss.item()).toBeCloseTo(-output.mean().item(), 5);
    expect(layer.predict(x).toArray()).toEqual(all.argmax(1).toArray());
    expect(layer(x.select(0, 0), target.select(0, 0)).output.shape).toEqual([]);
    expect(() => layer(x, target.add(1))).toThrow(/target 20 is out of range for 20 classes/);
    expect(() => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 20])).toThrow(
      /cutoffs must ascend and be below 20, got \[4, 20\]/,
    );
  });

  it('first and second gradients of unfold, fold and gridSample', () => {
    const double = { dtype: 'float64', requiresGrad: true } as const;
    const x = randn([1, 2, 4, 4], double);
    const f = nn.functional;
    expect(gradcheck((t) => f.unfold(t, [2, 3], { padding: 1 }).square(), [x])).toBe(true);
    expect(gradcheck((t) => f.fold(t, 3, 2).square(), [randn([1, 4, 4], double)])).toBe(true);
    // Away from the borders of pixels, where the slope changes.
    const grid = tensor(
      [
        [
          [
            [-0.4, 0.13],
            [0.3, -0.62],
          ],
        ],
      ],
      double,
    );
    expect(gradcheck((a, b) => f.gridSample(a, b), [x, grid])).toBe(true);
    expect(gradgradcheck((a, b) => f.gridSample(a, b, { mode: 'bicubic' }), [x, grid])).toBe(true);
  });

  it('Embedding with maxNorm scales the rows that are used, and no others', () => {
    const layer = nn.Embedding.fromPretrained(
      tensor([
        [3, 4],
        [0.3, 0.4],
        [6, 8],
      ]),
      { maxNorm: 1, freeze: false },
    );
    const rows = layer(tensor([0, 1], { dtype: 'int32' }));
    expect(
      rows
        .norm(2, 1)
        .sub(tensor([1, 0.5]))
        .abs()
        .amax()
        .item(),
    ).toBeLessThan(1e-6);
    expect(layer.weight.select(0, 2).toArray()).toEqual([6, 8]);
    rows.sum().backward();
    expect(layer.weight.grad!.toArray()).toEqual([
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'unfold',
      () => nn.functional.unfold(image(), 9),
      /a kernel of \[9, 9\] with dilation \[1, 1\] does not fit into \[6, 6\]/,
    ],
    [
      'conv2d',
      () => nn.functional.conv2d(image(), ones([1, 2, 0, 1])),
      /a kernel must have at least one element a channel/,
    ],
    ['conv1d', () => nn.functional.conv1d(ones([1, 2, 4]), ones([2, 2, 0])), /a kernel must have at least one element/],
    [
      'convTranspose2d',
      () => nn.functional.convTranspose2d(ones([1, 2, 2, 0]), ones([2, 3, 2, 2])),
      /an image of \[2, 0\] gives \[3, 1\] .* both have a row and a column at least/,
    ],
    [
      'convTranspose1d',
      () => nn.functional.convTranspose1d(ones([1, 2, 1]), ones([2, 3, 1]), null, { padding: 1 }),
      /an image of \[1, 1\] gives \[1, -1\]/,
    ],
    ['fold', () => nn.functional.fold(ones([1, 4, 5]), 3, 2), /takes \[N, C \* 4, 4\], got \[1, 4, 5\]/],
    [
      'gridSample',
      () => nn.functional.gridSample(image(), ones([2, 3, 3])),
      /takes \[N, C, H, W\] and a grid \[N, h, w, 2\]/,
    ],
    ['affineGrid', () => nn.functional.affineGrid(ones([1, 2, 3]), [1, 1, 2 ** 30, 4]), /affineGrid: .* at most 2\^32/],
    ['affineGrid', () => nn.functional.affineGrid(ones([1, 2, 2]), [1, 1, 2, 2]), /theta must be \[1, 2, 3\]/],
    ['localResponseNorm', () => nn.functional.localResponseNorm(ones([2, 2]), 2), /three dimensions or more/],
    ['gumbelSoftmax', () => nn.functional.gumbelSoftmax(ones([2]), { tau: 0 }), /tau must be a number above 0, got 0/],
    ['LSTM', () => new nn.LSTM(2, 3, { projSize: 3 }), /projSize must be below hiddenSize, got 3 and 3/],
    [
      'MultiheadAttention',
      () => new nn.MultiheadAttention(4, 2, { kdim: 3 })(ones([2, 1, 4])),
      /key is \[length, batch, 3\]/,
    ],
  ])('%s refuses what does not fit', (_, call, message) => expect(call).toThrow(message));
});

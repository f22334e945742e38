// Every layer and loss, and distributions, on a device whose values are not there at once: they give what they give on
// the host, or are on the list below of what is refused, by name.
import { readFileSync } from 'node:fs';
import { forkRng, logSoftmax, type NestedValues, ones, randn, registerBackend, Tensor, tensor } from '@gradgate/core';
import * as distributions from '@gradgate/distributions';
import * as nn from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { far } from '../core/backend/far.js';

registerBackend(far);

/** Made by test/golden/make_nn.py. */
interface Line {
  kind: string;
  name: string;
  wrap?: string;
  args: unknown[];
  options: object;
  inputs: { shape: number[]; data: number[]; dtype?: 'float32' | 'int32' }[];
}
const lines = readFileSync(new URL('../golden/nn.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Line)
  .filter(({ kind }) => kind === 'module');

interface Case {
  readonly name: string;
  readonly make: () => nn.Module;
  readonly inputs: () => (Tensor | readonly number[] | { readonly offsets: Tensor })[];
}

const layers = nn as unknown as Record<string, new (...args: unknown[]) => nn.Module>;
const wrappers = nn as unknown as Record<string, (module: nn.Module) => void>;

const golden = lines.map(
  ({ name, wrap, args, options, inputs }): Case => ({
    name: `${wrap ?? ''} ${name} ${JSON.stringify(options)}`.trim(),
    make: () => {
      const layer = new layers[name]!(...args, ...(Object.keys(options).length > 0 ? [options] : []));
      if (wrap) wrappers[wrap]!(layer);
      return layer;
    },
    inputs: () => inputs.map(({ shape, data, dtype = 'float32' }) => tensor(data, { shape, dtype })),
  }),
);

const int = (values: NestedValues): Tensor => tensor(values, { dtype: 'int32' });
const layer = (name: string, args: unknown[], inputs: Case['inputs']): Case => ({
  name,
  make: () => new layers[name]!(...args),
  inputs,
});
const volume = () => [randn([2, 2, 4, 4, 4])];
const image = () => [randn([2, 2, 6, 5])];
const encoder = () => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, dropout: 0 });
const decoder = () => new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16, dropout: 0 });

/** What PyTorch's numbers do not cover, and what has ways of its own. */
const more: Case[] = [
  ...['AdaptiveAvgPool3d', 'AdaptiveMaxPool3d', 'AvgPool3d', 'MaxPool3d'].map((name) => layer(name, [2], volume)),
  layer('FractionalMaxPool2d', [2, { outputSize: 2 }], image),
  layer('FractionalMaxPool3d', [2, { outputSize: 2 }], volume),
  ...['CircularPad3d', 'ZeroPad3d'].map((name) => layer(name, [1], volume)),
  ...['Dropout3d', 'FeatureAlphaDropout'].map((name) => layer(name, [0.5], volume)),
  layer('LPPool1d', [2, 2], () => [randn([2, 3, 4]).abs().add(1)]),
  layer('LPPool2d', [2, 2], () => [randn([2, 3, 4, 4]).abs().add(1)]),
  layer('LPPool3d', [2, 2], () => [randn([1, 2, 4, 4, 4]).abs().add(1)]),
  layer('ChannelShuffle', [2], () => [randn([2, 4, 3, 3])]),
  layer('MaxUnpool1d', [2], () => [randn([1, 1, 2]), int([[[1, 2]]])]),
  layer('MaxUnpool2d', [2], () => [randn([1, 1, 1, 2]), int([[[[0, 6]]]])]),
  layer('MaxUnpool3d', [2], () => [randn([1, 1, 1, 1, 1]), int([[[[[5]]]]])]),
  ...['Dropout', 'Dropout1d', 'Dropout2d', 'AlphaDropout'].map((name) =>
    layer(name, [0.5], () => [randn(name === 'Dropout1d' ? [2, 3, 4] : [2, 3, 4, 4])]),
  ),
  layer('RReLU', [], image),
  layer('RMSNorm', [5], image),
  layer('CircularPad1d', [1], () => [randn([2, 3, 4])]),
  layer('ZeroPad1d', [1], () => [randn([2, 3, 4])]),
  layer('CircularPad2d', [1], image),
  layer('AdaptiveMaxPool2d', [[4, 3]], image),
  layer('AdaptiveMaxPool2d', [[3, 5]], image),
  layer('MultiLabelMarginLoss', [], () => [
    randn([2, 3]),
    int([
      [2, 0, -1],
      [1, -1, 0],
    ]),
  ]),
  layer('BatchNorm1d', [3, { momentum: null }], () => [randn([4, 3])]),
  ...['sum', 'mean', 'max'].flatMap((mode) =>
    [undefined, 4].map((paddingIdx) =>
      layer('EmbeddingBag', [5, 2, { mode, paddingIdx }], () => [
        int([0, 3, 4, 1, 4]),
        { offsets: int([0, 1, 1, 3, 4]) },
      ]),
    ),
  ),
  layer('CTCLoss', [], () => [logSoftmax(randn([4, 1, 3]), -1), int([[1, 2]]), [4], [2]]),
  layer('AdaptiveLogSoftmaxWithLoss', [4, 6, [2]], () => [randn([3, 4]), int([0, 3, 5])]),
  {
    name: 'Sequential',
    make: () => new nn.Sequential(new nn.Linear(5, 4), new nn.ReLU(), new nn.Linear(4, 2)),
    inputs: image,
  },
  { name: 'TransformerEncoder', make: () => new nn.TransformerEncoder(encoder, 2), inputs: () => [randn([2, 3, 8])] },
  {
    name: 'TransformerDecoder',
    make: () => new nn.TransformerDecoder(decoder, 2),
    inputs: () => [randn([2, 3, 8]), randn([4, 3, 8])],
  },
];

const cases = [...golden, ...more];

/** What needs its values on the host, in its own name, and why. */
const refused: Record<string, string> = {
  CTCLoss: 'labels and lengths decide which paths there are',
};
/** The names of functions, where layers are made of them. */
const called: Record<string, string> = { CTCLoss: 'ctcLoss' };

const flat = (out: unknown): Tensor[] => (out instanceof Tensor ? [out] : Object.values(out as object).flatMap(flat));

/** The results, the gradients of inputs and parameters, and the state afterwards. */
function run({ make, inputs }: Case, device: string): Tensor[] {
  return forkRng(1).run(() => {
    const module = make().to(device);
    const given = inputs().map((x) => {
      if ('offsets' in x) return { offsets: x.offsets.to(device) };
      if (!(x instanceof Tensor)) return x;
      return x.dtype === 'float32' ? x.to(device).detach().requiresGrad_() : x.to(device);
    });
    const outputs = flat((module as unknown as (...inputs: unknown[]) => unknown)(...given));
    outputs
      .map((t) => t.mul(ones(t.shape, { device })).sum())
      .reduce((a, b) => a.add(b))
      .backward();
    const leaves = [...given.filter((x): x is Tensor => x instanceof Tensor), ...module.parameters()];
    const grads = leaves.flatMap(({ grad }) => (grad === null ? [] : [grad]));
    return [...outputs, ...grads, ...Object.values(module.stateDict())];
  });
}

async function expectSame(got: Tensor[], want: Tensor[]): Promise<void> {
  expect(got.map((t) => t.device)).toEqual(want.map(() => 'far'));
  for (const [i, t] of want.entries()) {
    const values = Array.from(await got[i]!.data(), Number);
    Array.from(t.toTypedArray(), Number).forEach((v, j) => {
      if (Number.isFinite(v)) expect(values[j]).toBeCloseTo(v, 4);
      else expect(values[j]).toBe(v);
    });
  }
}

describe('layers and losses on a device that is read later', () => {
  it.each(cases.map((c) => [c.name, c] as const))('%s', async (name, c) => {
    const want = run(c, 'cpu');
    if (name in refused) {
      const by = name.split(' ')[0]!;
      expect(() => run(c, 'far')).toThrow(`${called[by] ?? by}: the values of a tensor on far are not there at once`);
    } else await expectSame(run(c, 'far'), want);
  });

  it('every layer is among them, and everything that is refused', () => {
    const names = cases.map(({ name }) => name.split(' ').find((word) => word in layers && /^[A-Z]/.test(word)));
    const containers = ['Loss', 'ModuleDict', 'ModuleList', 'ParameterDict', 'ParameterList'];
    const all = Object.entries(nn).filter(([, v]) => typeof v === 'function' && v.prototype instanceof nn.Module);
    // Lazy layers become those that they are named after.
    const others = all.map(([name]) => name).filter((name) => !containers.includes(name) && !name.startsWith('Lazy'));
    expect(others.filter((name) => !names.includes(name))).toEqual([]);
    expect(Object.keys(refused).filter((name) => !cases.some((c) => c.name === name))).toEqual([]);
  });
});

describe('distributions on a device that is read later', () => {
  const d = distributions;
  const above = (device: string) => tensor([0.5, 1.5], { device });
  type Made = (device: string) => distributions.Distribution;
  const all: [name: string, make: Made][] = [
    ['Normal', (at) => new d.Normal(above(at), above(at))],
    ['LogNormal', (at) => new d.LogNormal(above(at), above(at))],
    ['Laplace', (at) => new d.Laplace(above(at), above(at))],
    ['Exponential', (at) => new d.Exponential(above(at))],
    ['Uniform', (at) => new d.Uniform(above(at), above(at).add(1))],
    ['Bernoulli', (at) => new d.Bernoulli({ probs: above(at).div(2) })],
    ['Geometric', (at) => new d.Geometric({ probs: above(at).div(2) })],
    ['Categorical', (at) => new d.Categorical({ logits: above(at) })],
    ['Gamma', (at) => new d.Gamma(above(at), above(at))],
    ['Beta', (at) => new d.Beta(above(at), above(at))],
    ['Dirichlet', (at) => new d.Dirichlet(above(at))],
    ['StudentT', (at) => new d.StudentT(above(at))],
    ['Poisson', (at) => new d.Poisson(above(at))],
    ['Binomial', (at) => new d.Binomial(4, { probs: above(at).div(2) })],
  ];
  /** Values decide how many random numbers a draw takes, or which class each one falls into. */
  const refusesToDraw = ['Categorical', 'Gamma', 'Beta', 'Dirichlet', 'StudentT', 'Binomial'];

  it.each(all)('%s', async (name, make) => {
    const draw = (device: string) => forkRng(3).run(() => make(device).sample([3]));
    const value = draw('cpu');
    if (refusesToDraw.includes(name))
      expect(() => draw('far')).toThrow(`${name}.sample: the values of a tensor on far are not there at once`);
    else await expectSame([draw('far')], [value]);
    await expectSame([make('far').logProb(value.to('far'))], [make('cpu').logProb(value)]);
  });
});

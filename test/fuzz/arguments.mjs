import * as core from '@gradgate/core';
import * as nn from '@gradgate/nn';

/** What an argument throws by itself, when it is looked at. */
export class ThrownByArgument extends Error {}

const raise = () => {
  throw new ThrownByArgument('thrown by the argument');
};

/** Random choices that are the same for the same seed. */
export class Random {
  #state = 0x9e3779b9;
  constructor(seed, folder) {
    for (const c of String(seed)) this.#state = Math.imul(this.#state ^ c.charCodeAt(0), 0x01000193) >>> 0;
    this.folder = folder;
    for (let i = 0; i < 4; i++) this.next();
    core.manualSeed(this.below(2 ** 30));
  }

  // mulberry32
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n) {
    return Math.floor(this.next() * n);
  }

  chance(p) {
    return this.next() < p;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  many(most, make) {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  shape() {
    return this.pick([
      ...[
        [],
        [1],
        [3],
        [4],
        [0],
        [2, 3],
        [3, 2],
        [3, 3],
        [4, 4],
        [2, 4],
        [1, 3],
        [2, 0],
        [2, 3, 4],
        [2, 4, 6],
        [2, 3, 4, 4],
      ],
      ...[[1, 4, 5, 5], [2, 4, 6, 6], [600], [4, 600], [2, 2, 2, 2, 2]],
    ]);
  }

  /** Mostly float32; of any dtype, layout and state. */
  tensor(shape = this.shape()) {
    const t = this.chance(0.7)
      ? core.randn(shape)
      : this.pick([
          () => core.ones(shape, { dtype: 'float64' }),
          () => core.zeros(shape, { dtype: 'int32' }),
          () => core.randint(0, 3, shape),
          () => core.ones(shape, { dtype: 'bool' }),
          () => core.rand(shape),
          () => core.full(shape, Number.NaN),
          () => core.full(shape, Number.POSITIVE_INFINITY),
          () => core.full(shape, -1e30),
        ])();
    return this.pick([
      ...Array(6).fill(() => t),
      () => (t.dtype.startsWith('float') ? t.requiresGrad_() : t),
      () => (t.ndim === 2 ? t.t() : t),
      () => t.unsqueeze(0).expand(2, ...t.shape),
      () => (t.dtype === 'float32' ? new nn.Parameter(t) : t),
      () => nn.buffer(t),
      () => core.inferenceMode.run(() => t.clone()),
      () => (t.dtype === 'float32' ? t.clone().requiresGrad_().mul(2) : t),
    ])();
  }

  number() {
    return this.pick([
      ...[0, 1, 2, 3, 4, 5, 7, -1, -2, 0.5, 0.1, 1e-3, 1.5, -0.5, 16],
      ...[
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        2 ** 31,
        2 ** 32,
        2 ** 40,
        2 ** 53,
        1e300,
        -1e300,
        -0,
      ],
    ]);
  }

  /** Anything at all. */
  anything(depth = 0) {
    return this.pick(kinds)(this, depth);
  }
}

const deep = (n) => {
  let a = [];
  for (let i = 0; i < n; i++) a = [a];
  return a;
};

/** Each makes values of one kind. */
const kinds = [
  () => undefined,
  () => null,
  (r) => r.number(),
  (r) => r.number(),
  () => true,
  () => false,
  (r) =>
    r.pick([
      '',
      'text',
      '__proto__',
      'constructor',
      'float32',
      'float64',
      'mean',
      'none',
      'sum',
      '\0',
      'x'.repeat(5000),
      '0',
      'weight',
    ]),
  () => Symbol('symbol'),
  () => 10n,
  () => ({}),
  () => [],
  () => [[]],
  (r, depth) => (depth > 2 ? [] : r.many(4, () => r.anything(depth + 1))),
  (r) => r.many(4, () => r.number()),
  (r) => r.shape(),
  () => deep(5000),
  () => {
    const a = [];
    a[0] = a;
    return a;
  },
  () => {
    const o = {};
    o.self = o;
    return o;
  },
  () => new Array(3),
  () => new Date(0),
  () => /x/,
  () => new Map([['a', 1]]),
  () => new Set([1, 2]),
  () => () => undefined,
  () => (x) => x,
  () => (x) => (x instanceof core.Tensor ? x.mul(2).sum() : 1),
  () => raise,
  () => async (x) => x,
  () =>
    function* () {
      yield 1;
    },
  () => class {},
  () => Promise.resolve(1),
  () => new Proxy({}, {}),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  () => Object.defineProperty({}, 'length', { get: raise, enumerable: true }),
  () => ({
    get p() {
      return raise();
    },
    get shape() {
      return raise();
    },
  }),
  () => Object.create(null),
  () => ({ valueOf: raise, toString: raise }),
  () => ({ valueOf: () => 2 }),
  () => ({ length: -1 }),
  () => ({ length: 2, 0: 1, 1: 2 }),
  () => Object.fromEntries([['then', 1]]),
  (r) => r.pick([Float32Array, Float64Array, Int8Array, Uint8Array, Int32Array, BigInt64Array]).from([]),
  () => new Float32Array(6),
  () => new Uint8Array([1, 2, 3, 0]),
  () => new BigInt64Array(4),
  () => new ArrayBuffer(16),
  () => new DataView(new ArrayBuffer(16)),
  () => new Error('an error'),
  (r) => r.tensor(),
  (r) => r.tensor(),
  (r) => r.tensor(),
  (r) => new Proxy(r.tensor(), {}),
  (r) => r.many(3, () => r.tensor()),
  (r) => ({ a: r.tensor(), b: 1 }),
  (r) => ({ weight: r.tensor() }),
  (r) => new nn.Linear(r.pick([3, 4]), 2),
  () => new nn.Sequential(new nn.Linear(4, 3), new nn.ReLU()),
  () => new core.Generator(1),
  () => core.Tensor,
  () => nn.Module,
  () => Object.create(core.Tensor.prototype),
  () => globalThis,
  () => Math,
];

const parameterList = (r) => {
  const params = [new nn.Parameter(core.randn([2, 3])), new nn.Parameter(core.randn([3]))];
  if (r.chance(0.7)) for (const p of params) p.grad = core.randn(p.shape);
  return params;
};
const dataset = () => new nn.data.TensorDataset(core.randn([5, 3]), core.zeros([5]));
const optimizer = (r) => new nn.optim.SGD(parameterList(r), { lr: 0.1 });
const layer = () => new nn.Linear(3, 3);

/** What fits a parameter of this name, as far as a name tells. */
const fitting = [
  [
    /^(x|input|self|t|a|b|data|tensor|query|key|value|scores|logProbs|target|output|outputs|src|tgt|y|left|right|p|loss|v|mask|other)$/,
    (r) => r.tensor(),
  ],
  [/^(index|indices|boundaries)$/, (r) => core.randint(0, 2, r.shape())],
  [/^(weight|bias)$/, (r) => r.pick([r.tensor(), null, undefined])],
  [/^(tensors|inputs|vectors|matrices|others)$/, (r) => [r.tensor(), r.tensor()]],
  [/^\.\.\.(tensors|inputs|vectors|matrices|operands|datasets|modules|layers)$/, (r) => r.tensor()],
  [/^(params|parameters)$/, parameterList],
  [/^optimizer$/, optimizer],
  [/^(schedulers)$/, (r) => [new nn.optim.ExponentialLR(optimizer(r), { gamma: 0.9 })]],
  [/^(module|model|layer|average|source|encoder|decoder|encoderLayer|decoderLayer)$/, layer],
  [/^(dataset|source)$/, dataset],
  [/^sampler$/, () => new nn.data.SequentialSampler(4)],
  [
    /^(fn|hook|closure|callback|lrLambda|forward|collate|f)$/,
    (r) => r.pick([(x) => x, (x) => x.sum(), () => undefined, () => core.ones([])]),
  ],
  [/^(dim|dims|dim0|dim1|startDim|endDim|from|to|axis)$/, (r) => r.pick([0, 1, -1, 2, undefined])],
  [/^(shape|size|sizes|normalizedShape|kernelSize|outputSize|padding)$/, (r) => r.pick([2, 3, [2, 3], r.shape()])],
  [/^(options)$/, () => ({})],
  [/^(samples)$/, () => [1, 2, 3]],
  [/^(path|file|name)$/, (r) => r.pick([`${r.folder}/a.safetensors`, `${r.folder}/b.npy`, 'weight'])],
  [/^(bytes|buffer)$/, () => nn.encodeSafetensors({ a: core.ones([2]) })],
  [
    /^state$/,
    (r) =>
      r.pick([
        { weight: core.ones([3, 3]), bias: core.ones([3]) },
        optimizer(r).stateDict(),
        { lastEpoch: 1, baseLrs: [0.1] },
      ]),
  ],
  [/./, (r) => r.pick([1, 2, 3, 4, 0.5])],
];

const matching = (r, name) => fitting.find(([pattern]) => pattern.test(name))[1](r);

function optionsFor(r, names, wrong) {
  const options = {};
  for (const name of names) if (r.chance(0.4)) options[name] = r.chance(wrong) ? r.anything() : matching(r, name);
  if (r.chance(wrong / 2)) options[r.pick(['unknown', 'keep_dim', 'learningRate', '__proto__x'])] = 1;
  return options;
}

/** Arguments for parameters of these names: each fits, or with probability `wrong` is anything at all; some are left out or added. */
export function argumentsFor(
  random,
  name,
  names,
  { wrong = random.pick([0, 0.15, 0.5, 1]), options = new Map() } = {},
) {
  const args = names.flatMap((parameter) => {
    const make = () => {
      if (random.chance(wrong)) return random.anything();
      if (parameter !== 'options') return matching(random, parameter);
      const known = options.get(name);
      // Learns what there is from the error.
      if (known === undefined) return { __unknown: 1 };
      return optionsFor(random, known, wrong);
    };
    return parameter.startsWith('...') ? random.many(3, make) : [make()];
  });
  if (wrong > 0 && random.chance(0.1)) args.pop();
  if (wrong > 0 && random.chance(0.1)) args.push(random.anything());
  if (wrong > 0 && random.chance(0.05)) args.length = 0;
  if (names.includes('options') && random.chance(0.3)) args.splice(names.indexOf('options'), 1);
  return args;
}

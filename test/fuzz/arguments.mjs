import { createContext, runInContext } from 'node:vm';
import * as core from '@gradgate/core';
import { complex } from '@gradgate/core/complex';
import { sparseCooTensor } from '@gradgate/core/sparse';
import { ZeroRedundancyOptimizer } from '@gradgate/distributed';
import * as distributions from '@gradgate/distributions';
import * as nn from '@gradgate/nn';
import { Collector, JsonLines, Logging, ModelCheckpoint, SummaryWriter, VectorEnvironments } from '@gradgate/train';

/** The error of an argument that throws when it is read. */
export class ThrownByArgument extends Error {}

const raise = () => {
  throw new ThrownByArgument('thrown by the argument');
};

/** Random choices, the same for the same seed. */
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

  /** A tensor: mostly float32, with any dtype, layout and state. */
  tensor(shape = this.shape()) {
    const t = this.chance(0.7)
      ? core.randn(shape)
      : this.chance(0.4)
        ? core.ones(shape).to(this.pick(dtypes))
        : this.pick([
            () => core.ones(shape, { dtype: 'float64' }),
            () => core.zeros(shape, { dtype: 'int32' }),
            () => core.randint(0, 3, shape),
            () => core.ones(shape, { dtype: 'bool' }),
            () => core.rand(shape),
            () => core.full(shape, Number.NaN),
            () => core.full(shape, Number.POSITIVE_INFINITY),
            () => core.full(shape, -1e30),
            () => complex(core.randn(shape), 1),
          ])();
    return this.pick([
      ...Array(9).fill(() => t),
      () => (t.ndim > 0 && t.shape[0] > 1 ? t.narrow(0, 1, t.shape[0] - 1) : t),
      () => (t.ndim > 0 && t.shape.at(-1) > 1 ? t.at('...', core.slice(null, null, 2)) : t),
      () => disposed(t.clone()),
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

  /** Any value at all. */
  anything(depth = 0) {
    return this.pick(kinds)(this, depth);
  }
}

const dtypes = ['int64', 'int32', 'int16', 'int8', 'uint8', 'float64', 'float16', 'bfloat16', 'bool'];

const disposed = (t) => {
  t.dispose();
  return t;
};

/** A proxy of an instance, or an object that only inherits from the class, is not an instance. */
export const isTensor = (x) => {
  try {
    return x instanceof core.Tensor && x.isLeaf !== undefined;
  } catch {
    return false;
  }
};

const deep = (n) => {
  let a = [];
  for (let i = 0; i < n; i++) a = [a];
  return a;
};

/** What a program in another realm, such as a frame or `node:vm`, makes. */
const realm = createContext({});
const foreign = (r) =>
  runInContext(
    r.pick([
      ...[
        '[1, 2, 3]',
        '[[1, 2], [3, 4]]',
        '[]',
        '({ lr: 0.1 })',
        '({})',
        '(x) => x',
        'async (x) => x',
        'new Error("x")',
      ],
      ...['new Float32Array(4)', 'new Uint8Array(3)', 'new Map([["a", 1]])', 'new Set([1])', 'new ArrayBuffer(8)'],
      ...['Promise.resolve(1)', 'new Date(0)', '(function* () { yield 1; })()', '(class {})', 'Symbol.for("x")'],
    ]),
    realm,
  );

/** An array of bytes whose memory is shared, or grows and shrinks. */
const odd = (r) => {
  const type = r.pick([Float32Array, Float64Array, Uint8Array, Int32Array]);
  return r.pick([
    () => new type(new SharedArrayBuffer(32)),
    () => new type(new ArrayBuffer(32, { maxByteLength: 64 })),
    () => {
      const buffer = new ArrayBuffer(32, { maxByteLength: 64 });
      const array = new type(buffer, 8, 2);
      buffer.resize(8);
      return array;
    },
    () => new SharedArrayBuffer(16),
    () => new DataView(new SharedArrayBuffer(16)),
    () => Object.assign(new type(4), { extra: 1 }),
    () => new (class extends type {})(4),
  ])();
};

/** A callback that calls back into what it was given to. */
const again = (r) => {
  let calls = 0;
  return (...args) => {
    const { self } = r;
    if (++calls > 2 || !self) return args[0];
    const name = r.pick(membersOf(self));
    if (name && typeof self[name] === 'function') self[name](...args);
    return args[0];
  };
};

const membersOf = (self) => {
  const names = [];
  for (let p = self; p && p !== Object.prototype && p !== Function.prototype; p = Object.getPrototypeOf(p))
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(p)))
      if (typeof value === 'function' && name !== 'constructor' && name !== 'dispose') names.push(name);
  return names;
};

/** Generators of values, one for each kind. */
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
  () => (x) => (isTensor(x) ? x.mul(2).sum() : 1),
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
  foreign,
  foreign,
  foreign,
  odd,
  odd,
  again,
  again,
  (r) => Object.freeze(r.many(3, () => r.number())),
  (r) => Object.freeze({ a: r.tensor() }),
  () => Object.freeze(new nn.Linear(3, 2)),
  (r) => {
    const length = r.pick([0, 1, 3, -1, Number.NaN]);
    return new Proxy([1, 2], { get: (target, key) => (key === 'length' ? length : target[key]) });
  },
  () => new Proxy([1, 2], { ownKeys: raise, has: raise, getOwnPropertyDescriptor: raise }),
  () => new Proxy(() => 1, { apply: raise }),
  () => ({ [Symbol.iterator]: raise }),
  (r) => ({ [Symbol.toPrimitive]: r.pick([raise, () => ({}), () => 2, () => Symbol('s')]) }),
  () => ({ [Symbol.asyncIterator]: raise }),
  () => Object.fromEntries([['then', raise]]),
  () => Object.fromEntries([['then', (done) => done(1)]]),
  () => Promise.reject(new ThrownByArgument('rejected by the argument')),
  () => 'x'.repeat(2 ** 22),
  () => 2n ** 70n,
  () => -1n,
  () => Symbol.iterator,
  () => [10n, 1],
  () => [Symbol('s')],
  () => ({ [Symbol('s')]: 1 }),
  (r) => disposed(core.ones(r.shape())),
  () => core.ones([2]).to('float16'),
  () => complex(core.ones([2, 3]), 1),
  () => sparseCooTensor([[0], [1]], core.tensor([2]), [2, 3]),
  () => core.ones([1]).expand(4),
  // A hook that calls its own module does not end.
  (r) => (typeof r.self === 'function' ? undefined : r.self),
  (r) => [r.self],
  (r) => ({ a: r.self }),
];

const parameterList = (r) => {
  const params = [new nn.Parameter(core.randn([2, 3])), new nn.Parameter(core.randn([3]))];
  if (r.chance(0.7)) for (const p of params) p.grad = core.randn(p.shape);
  return params;
};
const dataset = () => new nn.data.TensorDataset(core.randn([5, 3]), core.zeros([5]));
const optimizer = (r) => new nn.optim.SGD(parameterList(r), { lr: 0.1 });
const layer = () => new nn.Linear(3, 3);
const encoderLayer = () => new nn.TransformerEncoderLayer(4, 2);
const decoderLayer = () => new nn.TransformerDecoderLayer(4, 2);

const { Bernoulli, Binomial, Categorical, Geometric, Multinomial, Normal, OneHotCategorical } = distributions;
const normals = () => new Normal(core.zeros([2]), 1);
const probs = () => ({ probs: core.full([2], 0.5) });

const jsonLines = () => new JsonLines(() => {});
const stepped = () => ({
  ...{ observations: core.ones([2, 3]), rewards: core.ones([2]) },
  ...{ terminated: core.zeros([2]), truncated: core.zeros([2]) },
});

/** Instances of classes whose constructor's arguments cannot be guessed from names. */
export const made = {
  Module: layer,
  Loss: () => new nn.MSELoss(),
  Metric: () => new nn.metrics.Mean(),
  AdaptiveLogSoftmaxWithLoss: () => new nn.AdaptiveLogSoftmaxWithLoss(4, 8, [2, 5]),
  FractionalMaxPool2d: () => new nn.FractionalMaxPool2d(2, { outputRatio: 0.5 }),
  FractionalMaxPool3d: () => new nn.FractionalMaxPool3d(2, { outputRatio: 0.5 }),
  SummaryWriter: () => new SummaryWriter(() => {}),
  JsonLines: jsonLines,
  Collector: () => new Collector({ reset: () => core.ones([2, 3]), step: stepped }, () => core.zeros([2])),
  SparseTensor: () =>
    sparseCooTensor(
      [
        [0, 1],
        [2, 0],
      ],
      core.tensor([3, 4]),
      [2, 3],
    ),
  VectorEnvironments: () =>
    new VectorEnvironments(
      () => ({ reset: () => [0, 1], step: () => ({ observation: [1, 1], reward: 1, terminated: false }) }),
      2,
    ),
  TextVectorizer: () => new nn.data.TextVectorizer().fit(['a b', 'b c']),
  Logging: () => new Logging(jsonLines()),
  Optimizer: optimizer,
  LRScheduler: (r) => new nn.optim.StepLR(optimizer(r), { stepSize: 1 }),
  ResumableSampler: () => new nn.data.SequentialSampler(4),
  TransformerEncoder: () => new nn.TransformerEncoder(encoderLayer(), 2),
  TransformerDecoder: () => new nn.TransformerDecoder(decoderLayer(), 2),
  Unflatten: () => new nn.Unflatten(1, [2, 2]),
  PackedSequence: () => nn.packSequence([core.ones([2]), core.ones([1])]),
  Parameter: () => new nn.Parameter(core.ones([2])),
  Transformer: () =>
    new nn.Transformer({ dModel: 4, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 8 }),
  TransformerEncoderLayer: encoderLayer,
  TransformerDecoderLayer: decoderLayer,
  GroupNorm: () => new nn.GroupNorm(1, 4),
  MultiheadAttention: () => new nn.MultiheadAttention(4, 2),
  SequentialLR: (r) => {
    const o = optimizer(r);
    return new nn.optim.SequentialLR([new nn.optim.ConstantLR(o), new nn.optim.ExponentialLR(o, { gamma: 0.9 })], [2]);
  },
  TensorError: () => new core.TensorError('op', 'text'),
  ShapeError: () => new core.ShapeError('op', 'text'),
  AutogradError: () => new core.AutogradError('op', 'text'),
  DeviceError: () => new core.DeviceError('op', 'text'),
  DTypeError: () => new core.DTypeError('op', 'text'),
  IndexError: () => new core.IndexError('op', 'text'),
  LinAlgError: () => new core.LinAlgError('op', 'text'),
  PixelShuffle: () => new nn.PixelShuffle(2),
  PixelUnshuffle: () => new nn.PixelUnshuffle(2),
  ELU: () => new nn.ELU(),
  ReLU: () => new nn.ReLU(),
  ReLU6: () => new nn.ReLU6(),
  SiLU: () => new nn.SiLU(),
  Threshold: () => new nn.Threshold(1, 0),
  Subset: () => new nn.data.Subset(dataset(), [0, 2]),
  SubsetRandomSampler: () => new nn.data.SubsetRandomSampler([0, 2]),
  WeightedRandomSampler: () => new nn.data.WeightedRandomSampler([0.5, 1], 4),
  TensorDataset: dataset,
  MultiStepLR: (r) => new nn.optim.MultiStepLR(optimizer(r), { milestones: [1, 2] }),
  StepLR: (r) => new nn.optim.StepLR(optimizer(r), { stepSize: 1 }),
  OneCycleLR: (r) => new nn.optim.OneCycleLR(optimizer(r), { maxLr: 0.1, totalSteps: 5 }),
  Muon: () => new nn.optim.Muon([new nn.Parameter(core.ones([2, 2]))]),
  CyclicLR: (r) => new nn.optim.CyclicLR(optimizer(r), { baseLr: 0.1, maxLr: 0.2 }),
  SWALR: (r) => new nn.optim.SWALR(optimizer(r), { swaLr: 0.1 }),
  Cauchy: () => new distributions.Cauchy(0, 1),
  ComposeTransform: () => new distributions.ComposeTransform([new distributions.TanhTransform()]),
  CatTransform: () =>
    new distributions.CatTransform([new distributions.TanhTransform(), new distributions.ExpTransform()]),
  StackTransform: () =>
    new distributions.StackTransform([new distributions.TanhTransform(), new distributions.ExpTransform()]),
  IndependentTransform: () => new distributions.IndependentTransform(new distributions.ExpTransform(), 1),
  ReshapeTransform: () => new distributions.ReshapeTransform([2, 2], [4]),
  CumulativeDistributionTransform: () => new distributions.CumulativeDistributionTransform(new Normal(0, 1)),
  ContinuousBernoulli: () => new distributions.ContinuousBernoulli(probs()),
  Wishart: () => new distributions.Wishart(3, { covarianceMatrix: core.eye(2) }),
  Gumbel: () => new distributions.Gumbel(0, 1),
  HalfCauchy: () => new distributions.HalfCauchy(1),
  HalfNormal: () => new distributions.HalfNormal(1),
  LogisticNormal: () => new distributions.LogisticNormal(core.zeros([2]), core.ones([2])),
  LowRankMultivariateNormal: () =>
    new distributions.LowRankMultivariateNormal(core.zeros([2]), core.ones([2, 1]), core.ones([2])),
  NegativeBinomial: () => new distributions.NegativeBinomial(3, probs()),
  OneHotCategoricalStraightThrough: () => new distributions.OneHotCategoricalStraightThrough(probs()),
  Pareto: () => new distributions.Pareto(1, 2),
  RelaxedBernoulli: () => new distributions.RelaxedBernoulli(0.5, probs()),
  RelaxedOneHotCategorical: () => new distributions.RelaxedOneHotCategorical(0.5, probs()),
  Weibull: () => new distributions.Weibull(1, 2),
  AffineTransform: () => new distributions.AffineTransform(0, 2),
  Bernoulli: () => new Bernoulli(probs()),
  Binomial: () => new Binomial(3, probs()),
  Categorical: () => new Categorical(probs()),
  Dirichlet: () => new distributions.Dirichlet(core.ones([3])),
  Distribution: normals,
  Exponential: () => new distributions.Exponential(1),
  Gamma: () => new distributions.Gamma(1, 2),
  Geometric: () => new Geometric(probs()),
  Independent: () => new distributions.Independent(normals(), 1),
  ModelCheckpoint: (r) => new ModelCheckpoint(r.folder),
  Laplace: () => new distributions.Laplace(0, 1),
  LogNormal: () => new distributions.LogNormal(0, 1),
  MixtureSameFamily: () => new distributions.MixtureSameFamily(new Categorical(probs()), normals()),
  Multinomial: () => new Multinomial(3, probs()),
  MultivariateNormal: () => new distributions.MultivariateNormal(core.zeros([2]), { covarianceMatrix: core.eye(2) }),
  Normal: normals,
  OneHotCategorical: () => new OneHotCategorical(probs()),
  StudentT: () => new distributions.StudentT(3),
  TransformedDistribution: () =>
    new distributions.TransformedDistribution(normals(), [new distributions.TanhTransform()]),
  Uniform: () => new distributions.Uniform(0, 1),
  ZeroRedundancyOptimizer: (r) =>
    new ZeroRedundancyOptimizer(parameterList(r), (p) => new nn.optim.SGD(p, { lr: 0.1 })),
};

/** A value that fits a parameter or an option, guessed from its name. */
const fitting = [
  [
    /^(x|input|self|t|a|b|data|tensor|query|key|value|scores|logProbs|target|targets|output|outputs|src|tgt|y|left|right|loss|v|mask|other|anchor|positive|negative|variance|condition|probs|rate|labels|m|image|images|attnMask|keyPaddingMask|posWeight|gradient|gradOutputs)$/,
    (r) => r.tensor(),
  ],
  [/^(index|indices|boundaries|inputLengths|targetLengths|offsets)$/, (r) => core.randint(0, 2, r.shape())],
  [/^(weight|bias|weights)$/, (r) => r.pick([r.tensor(), null, undefined, true, false])],
  [/^(tensors|vectors|matrices|others|list)$/, (r) => [r.tensor(), r.tensor()]],
  [/^inputs$/, (r) => r.pick([r.tensor(), [r.tensor(), r.tensor()]])],
  [/^\.\.\.(tensors|inputs|vectors|matrices|operands|args)$/, (r) => r.tensor()],
  [/^\.\.\.(modules|layers)$/, layer],
  [/^\.\.\.datasets$/, dataset],
  [/^\.\.\.transforms$/, () => nn.data.transforms.grayscale()],
  [/^(params|parameters)$/, parameterList],
  [/^optimizer$/, optimizer],
  [/^schedulers$/, (r) => [new nn.optim.ExponentialLR(optimizer(r), { gamma: 0.9 })]],
  [/^(module|model|layer|average|what|encoder|decoder|encoderLayer|decoderLayer)$/, layer],
  [/^modules$/, (r) => r.pick([[layer()], { a: layer() }])],
  [/^(dataset|source)$/, (r) => r.pick([dataset(), dataset(), layer()])],
  [/^sampler$/, () => new nn.data.SequentialSampler(4)],
  [/^generator$/, () => new core.Generator(1)],
  [/^(dtype|target)$/, (r) => r.pick(['float32', 'float64', 'int32', 'int64', 'bool', 'uint8', 'bfloat16'])],
  [/^(device)$/, () => 'cpu'],
  [/^reduction$/, (r) => r.pick(['mean', 'sum', 'none'])],
  [/^mode$/, (r) => r.pick(['nearest', 'bilinear', 'mean', 'sum', 'max', 'constant', 'fanIn', 'fanOut', 'min'])],
  [/^nonlinearity$/, (r) => r.pick(['relu', 'tanh', 'linear'])],
  [/^equation$/, (r) => r.pick(['ij,jk->ik', 'i,i', 'ij->ji', 'ii', '...i,i'])],
  [
    /^(fn|hook|closure|callback|lrLambda|forward|backward|collate|collateFn|f|done|failed|make|rule)$/,
    (r) => r.pick([(x) => x, (x) => (isTensor(x) ? x.sum() : x), () => undefined, () => core.ones([])]),
  ],
  [/^(dim|dims|dim0|dim1|startDim|endDim|from|to|axis)$/, (r) => r.pick([0, 1, -1, 2, undefined])],
  [
    /^(shape|sizes|lengths|normalizedShape|kernelSize|outputSize|padding|stride|dilation|size)$/,
    (r) => r.pick([2, 3, [2, 3], r.shape()]),
  ],
  [/^\.\.\.(shape|dims|times)$/, (r) => r.pick([1, 2, 3])],
  [/^milestones$/, () => [1, 2]],
  [/^samples$/, (r) => r.pick([[1, 2, 3], [r.tensor()], [{ a: 1 }, { a: 2 }]])],
  [
    /^(path|file)$/,
    (r) =>
      r.pick([
        `${r.folder}/a.safetensors`,
        `${r.folder}/b.npy`,
        nn.encodeNpy(core.ones([2])),
        nn.encodeSafetensors({ a: core.ones([2]) }),
      ]),
  ],
  [/^name$/, () => 'weight'],
  [/^op$/, () => 'mine'],
  [/^(bytes|buffer)$/, () => nn.encodeSafetensors({ a: core.ones([2]) })],
  [/^parts$/, () => ({ model: layer() })],
  [/^pixels$/, () => new Uint8Array(12)],
  [/^(mean|std)$/, (r) => r.pick([[0.5, 0.5, 0.5], 0.5, 1])],
  [/^(values)$/, (r) => r.pick([[1, 2, 3], [[1], [2]], new Float32Array(4), r.tensor()])],
  [/^(array)$/, () => new Float32Array(6)],
  [/^(betas|scale|ratio)$/, () => [0.5, 0.9]],
  [
    /^(lr|maxLr|gamma|momentum|dampening|eps|alpha|beta|p|decay|weightDecay|dropout|factor)$/,
    (r) => r.pick([0.1, 0.5, 0.9]),
  ],
  [
    /^state$/,
    (r) =>
      r.pick([
        { weight: core.ones([3, 3]), bias: core.ones([3]) },
        optimizer(r).stateDict(),
        r.self?.stateDict?.(),
        r.self?.stateDict?.(),
        { lastEpoch: 1, baseLrs: [0.1] },
      ]),
  ],
  [
    /^(n|in|out|num|embed|hidden|d[A-Z]|nhead|k|steps|total|groups|batch|rows|columns|epochs|length|in\d)/,
    (r) => r.pick([1, 2, 3, 4]),
  ],
  [
    /^(is|keep|requires|affine|return|batchFirst|bidirectional|persistent|drop|shuffle|amsgrad|nesterov|maximize|unbiased|sorted|largest|normFirst|retain|create|allow|training)/,
    (r) => r.chance(0.5),
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

/**
 * Arguments for parameters with these names: each fits, or with probability `wrong` is any value at all; some are left out or
 * added, unless `all` are wanted. `options` are the known option names; null asks for them by passing an unknown one.
 */
export function argumentsFor(
  random,
  names,
  { wrong = random.pick([0, 0.15, 0.5, 1]), options = [], all = false } = {},
) {
  const args = names.flatMap((parameter) => {
    const make = () => {
      if (random.chance(wrong)) return random.anything();
      if (!/^(options|userOptions)$/.test(parameter)) return matching(random, parameter);
      return options === null ? { unknownOption: 1 } : optionsFor(random, options, wrong);
    };
    return parameter.startsWith('...') ? random.many(3, make) : [make()];
  });
  if (wrong > 0 && random.chance(0.1)) args.pop();
  if (wrong > 0 && random.chance(0.1)) args.push(random.anything());
  if (wrong > 0 && random.chance(0.05)) args.length = 0;
  if (!all && names.includes('options') && random.chance(0.3)) args.splice(names.indexOf('options'), 1);
  return args;
}

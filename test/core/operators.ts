import * as core from '@gradgate/core';
import { randn, type Tensor, tensor } from '@gradgate/core';
import * as linalg from '@gradgate/core/linalg';
import * as special from '@gradgate/core/special';

/** Makes an input of an operator, with the table's shape or another one. A maker without `shape` has one shape only. */
export interface Maker {
  (shape?: readonly number[]): Tensor;
  readonly shape?: readonly number[];
}

/** A call of an operator, and functions that make its differentiable inputs. */
export type Case = readonly [fn: (...inputs: any[]) => Tensor | Tensor[], ...inputs: Maker[]];

const maker = (shape: number[], make: (shape: readonly number[]) => Tensor): Maker =>
  Object.assign((other: readonly number[] = shape) => make(other), { shape });

const f64 = { dtype: 'float64', requiresGrad: true } as const;
const any = (...shape: number[]) => maker(shape, (of) => randn(of, f64));
/** Away from 0, where a function has a kink or a pole. */
const positive = (...shape: number[]) =>
  maker(shape, (of) => core.rand(of, { dtype: 'float64' }).add(0.5).requiresGrad_());
/** Within (-0.9, 0.9). */
const small = (...shape: number[]) =>
  maker(shape, (of) => core.rand(of, { dtype: 'float64' }).mul(1.8).sub(0.9).requiresGrad_());
/** Distinct numbers that are far apart: no ties, no kinks. */
const distinct = (...shape: number[]) =>
  maker(shape, (of) =>
    core
      .randperm(of.reduce((a, b) => a * b, 1))
      .to('float64')
      .mul(0.37)
      .sub(1.03)
      .view(of)
      .requiresGrad_(),
  );
/** Matrices that are far from singular. */
const regular = maker([2, 3, 3], (of) =>
  randn(of, { dtype: 'float64' })
    .mul(0.3)
    .add(core.eye(of.at(-1)!, { dtype: 'float64' }))
    .requiresGrad_(),
);
/** Symmetric matrices, whose gradient does not depend on which triangle is read. */
const symmetric = (x: Tensor) => x.add(x.transpose(-1, -2));
/** A function of vectors that does not depend on their signs. */
const parts = (z: Tensor): Tensor => z.real().square().add(z.imag().square());
const triangle = { upper: false };
const one = (op: keyof typeof core): Case => [(x: Tensor) => (core[op] as any)(x), any(2, 3)];
const two = (op: keyof typeof core): Case => [(a: Tensor, b: Tensor) => (core[op] as any)(a, b), any(2, 3), any(3)];
const ints = (...values: number[]) => tensor(values, { dtype: 'int32' });
const mask = tensor([
  [true, false, true],
  [false, true, true],
]);

/** One entry for each differentiable operator that core exports; every test over all operators reads this table. */
export const cases: Record<string, Case> = {
  ...Object.fromEntries(
    (
      [
        'neg',
        'exp',
        'square',
        'tanh',
        'sigmoid',
        'expm1',
        'exp2',
        'sin',
        'cos',
        'atan',
        'sinh',
        'cosh',
        'asinh',
        'erf',
        'silu',
        'logSigmoid',
        'gelu',
        'softplus',
        'mish',
        'clone',
        'frac',
        'tanhshrink',
      ] as const
    ).map((op) => [op, one(op)]),
  ),
  ...Object.fromEntries(
    (
      [
        'abs',
        'relu',
        'elu',
        'selu',
        'celu',
        'leakyRelu',
        'hardtanh',
        'relu6',
        'hardsigmoid',
        'hardswish',
        'softsign',
        'softshrink',
        'hardshrink',
        'sign',
        'floor',
        'ceil',
        'round',
        'trunc',
        'nanToNum',
      ] as const
    ).map((op) => [op, [(x: Tensor) => (core[op] as any)(x), distinct(2, 3)]]),
  ),
  ...Object.fromEntries(
    (['log', 'sqrt', 'log1p', 'log2', 'log10', 'rsqrt', 'reciprocal'] as const).map((op) => [
      op,
      [(x: Tensor) => (core[op] as any)(x), positive(2, 3)],
    ]),
  ),
  ...Object.fromEntries(
    (['tan', 'asin', 'acos', 'atanh'] as const).map((op) => [op, [(x: Tensor) => (core[op] as any)(x), small(2, 3)]]),
  ),
  acosh: [(x) => core.acosh(x.add(1)), positive(2, 3)],
  add: two('add'),
  sub: two('sub'),
  mul: two('mul'),
  div: [core.div, any(2, 3), positive(3)],
  atan2: [core.atan2, any(2, 3), positive(3)],
  maximum: [core.maximum, distinct(2, 3), any(3)],
  minimum: [core.minimum, distinct(2, 3), any(3)],
  pow: [core.pow, positive(2, 3), any(3)],
  fmod: [(a, b) => core.fmod(a, b), positive(2, 3), () => tensor([0.71, 0.83, 0.67], f64)],
  remainder: [(a, b) => core.remainder(a, b), positive(2, 3), () => tensor([0.71, -0.83, 0.67], f64)],
  lerp: [core.lerp, any(3), any(3), any(3)],
  addcmul: [(x, a, b) => core.addcmul(x, a, b, { value: 0.5 }), any(3), any(3), any(3)],
  addcdiv: [(x, a, b) => core.addcdiv(x, a, b, { value: 0.5 }), any(3), any(3), positive(3)],
  clamp: [(x, low) => [core.clamp(x, -0.5, 0.5), core.clamp(x, low.mul(0.1), 0.7)], distinct(2, 3), any(3)],
  clip: [(x) => core.clip(x, -0.5, 0.5), distinct(2, 3)],
  asTensor: [(x) => core.asTensor(x).mul(2), any(2)],
  where: [(a, b) => core.where(mask.to(a.device), a, b), any(2, 3), any(3)],
  maskedFill: [(x) => core.maskedFill(x, mask.to(x.device), 2), any(2, 3)],
  prelu: [core.prelu, distinct(2, 3), any(3)],
  glu: [(x) => core.glu(x), any(2, 4)],
  sum: [(x) => core.sum(x, 1), any(2, 3)],
  sumTo: [(x) => core.sumTo(x, [1, 3]), any(2, 3)],
  mean: [(x) => core.mean(x, [0, 2]), any(2, 3, 2)],
  prod: [(x) => [core.prod(x), core.prod(x, 1)], any(2, 3)],
  var: [(x) => core.var(x, 1), any(2, 3)],
  std: [(x) => core.std(x, 0, { keepdim: true }), any(3, 2)],
  amax: [(x) => core.amax(x, 1), distinct(2, 3)],
  amin: [(x) => core.amin(x), distinct(2, 3)],
  max: [(x) => [core.max(x, 1).values, core.max(x, x.flip(0))], distinct(2, 3)],
  min: [(x) => core.min(x), distinct(2, 3)],
  norm: [(x) => [core.norm(x), core.norm(x, 3, 1), core.norm(x, 1, 0)], distinct(2, 3)],
  cumsum: [(x) => core.cumsum(x, 1), any(2, 3)],
  softmax: [(x) => core.softmax(x, 0), any(2, 3)],
  logSoftmax: [(x) => core.logSoftmax(x, -1), any(2, 3)],
  logsumexp: [(x) => core.logsumexp(x, 1), any(2, 3)],
  contiguous: [(x) => core.contiguous(x.t()), any(2, 3)],
  to: [(x) => core.to(x, 'float64').mul(2), any(2)],
  view: [(x) => core.view(x, 3, 2), any(2, 3)],
  reshape: [(x) => core.reshape(x.t(), 6), any(2, 3)],
  flatten: [(x) => core.flatten(x), any(2, 3)],
  unflatten: [(x) => core.unflatten(x, 0, [2, -1]), any(6)],
  permute: [(x) => core.permute(x, 2, 0, 1), any(2, 1, 3)],
  transpose: [(x) => core.transpose(x, 0, 1), any(2, 3)],
  t: [core.t, any(2, 3)],
  swapaxes: [(x) => core.swapaxes(x, 0, 1), any(2, 3)],
  movedim: [(x) => core.movedim(x, 0, 2), any(2, 1, 3)],
  expand: [(x) => core.expand(x, 2, -1, 3), any(4, 1)],
  expandAs: [(x) => core.expandAs(x, mask), any(1, 3)],
  broadcastTensors: [(a, b) => core.broadcastTensors([a, b]), any(2, 1), any(3)],
  squeeze: [(x) => core.squeeze(x), any(2, 1)],
  unsqueeze: [(x) => core.unsqueeze(x, 1), any(2, 3)],
  narrow: [(x) => core.narrow(x, 1, 1, 2), any(2, 4)],
  select: [(x) => core.select(x, 0, -1), any(2, 3)],
  cat: [(a, b) => core.cat([a, b], 1), any(2, 3), any(2, 1)],
  stack: [(a, b) => core.stack([a, b], -1), any(2, 3), any(2, 3)],
  split: [(x) => core.split(x, [1, 3], 1), any(2, 4)],
  chunk: [(x) => core.chunk(x, 2), any(3, 2)],
  unbind: [(x) => core.unbind(x, 1), any(2, 3)],
  copy_: [(x, y) => core.copy_(x.mul(1), y), any(2, 3), any(3)],
  gather: [
    (x) =>
      core.gather(
        x,
        1,
        tensor(
          [
            [0, 0, 2],
            [1, 1, 1],
          ],
          { dtype: 'int32' },
        ),
      ),
    any(2, 3),
  ],
  scatterAdd: [
    (x, s) =>
      core.scatterAdd(
        x,
        1,
        tensor(
          [
            [0, 0],
            [2, 1],
          ],
          { dtype: 'int32' },
        ),
        s,
      ),
    any(2, 3),
    any(2, 3),
  ],
  indexSelect: [(x) => core.indexSelect(x, 1, ints(2, 0, 2)), any(2, 3)],
  indexAdd: [(x, s) => core.indexAdd(x, 0, ints(1, 1), s), any(2, 3), any(2, 3)],
  at: [(x) => core.at(x, core.slice(0, 3, 2), null, 1), any(3, 2)],
  set: [(x, y) => core.set(x.mul(1), 0, y), any(2, 3), any(3)],
  flip: [(x) => core.flip(x, [0, 1]), any(2, 3)],
  roll: [(x) => [core.roll(x, 2), core.roll(x, 1, 1)], any(2, 3)],
  repeat: [(x) => core.repeat(x, 2, 1, 2), any(2, 3)],
  repeatInterleave: [(x) => [core.repeatInterleave(x, 2, 1), core.repeatInterleave(x, ints(2), 0)], any(2, 3)],
  tril: [(x) => core.tril(x, -1), any(3, 3)],
  triu: [(x) => core.triu(x), any(2, 3)],
  pad: [(x) => [core.pad(x, [1, -1, 2, 0]), core.pad(x, [1, 2], { mode: 'reflect' })], any(2, 3)],
  sort: [(x) => core.sort(x, 0).values, distinct(3, 2)],
  topk: [(x) => core.topk(x, 2).values, distinct(2, 3)],
  diagonal: [(x) => core.diagonal(x, 1), any(3, 4)],
  trace: [core.trace, any(3, 3)],
  meshgrid: [(a, b) => core.meshgrid(a, b), any(2), any(3)],
  matmul: [(a, b) => core.matmul(a, b), any(2, 2, 3), any(3, 2)],
  mm: [core.mm, any(2, 3), any(3, 2)],
  bmm: [core.bmm, any(2, 2, 3), any(2, 3, 2)],
  linear: [core.linear, any(2, 3), any(4, 3), any(4)],
  einsum: [(a, b) => [core.einsum('bij,bjk->ik', a, b), core.einsum('...ii->...i', a)], any(2, 3, 3), any(2, 3, 2)],
  outer: [core.outer, any(2), any(3)],
  dot: [core.dot, any(3), any(3)],
  conv2d: [
    (x, w, b) => core.conv2d(x, w, b, { stride: 2, padding: 1, groups: 2 }),
    any(1, 4, 4, 3),
    any(2, 2, 3, 2),
    any(2),
  ],
  conv1d: [(x, w, b) => core.conv1d(x, w, b, { dilation: 2 }), any(2, 2, 6), any(3, 2, 2), any(3)],
  convTranspose2d: [
    (x, w, b) => core.convTranspose2d(x, w, b, { stride: 2, padding: 1, outputPadding: 1 }),
    any(1, 2, 3, 3),
    any(2, 2, 3, 3),
    any(2),
  ],
  convTranspose1d: [(x, w, b) => core.convTranspose1d(x, w, b, { stride: 2 }), any(1, 2, 3), any(2, 2, 2), any(2)],
  maxPool2d: [(x) => core.maxPool2d(x, 2, { padding: 1 }), distinct(1, 2, 4, 3)],
  maxPool1d: [(x) => core.maxPool1d(x, 2), distinct(1, 2, 4)],
  avgPool2d: [(x) => core.avgPool2d(x, [2, 1], { padding: [1, 0], countIncludePad: false }), any(1, 2, 4, 3)],
  avgPool1d: [(x) => core.avgPool1d(x, 2), any(1, 2, 5)],
  adaptiveAvgPool2d: [(x) => core.adaptiveAvgPool2d(x, [2, 3]), any(1, 2, 5, 3)],
  adaptiveAvgPool1d: [(x) => core.adaptiveAvgPool1d(x, 2), any(1, 2, 5)],
  layerNorm: [(x, w, b) => core.layerNorm(x, [3], w, b), any(2, 3), any(3), any(3)],
  rmsNorm: [(x, w) => core.rmsNorm(x, [3], w), any(2, 3), any(3)],
  groupNorm: [(x, w, b) => core.groupNorm(x, 2, w, b), any(2, 4, 2), any(4), any(4)],
  instanceNorm: [(x) => core.instanceNorm(x), any(2, 2, 3)],
  batchNorm: [
    (x, weight, bias) => core.batchNorm(x, null, null, { weight, bias, training: true }),
    any(3, 2, 2),
    any(2),
    any(2),
  ],
  normalize: [(x) => core.normalize(x), any(2, 3)],
  embedding: [(w) => core.embedding(ints(0, 2, 2), w), any(3, 2)],
  scaledDotProductAttention: [
    (q, k, v) => core.scaledDotProductAttention(q, k, v, { isCausal: true }),
    any(1, 3, 2),
    any(1, 3, 2),
    any(1, 3, 2),
  ],
  dropout: [(x) => core.dropout(x, { generator: new core.Generator(1) }), any(2, 3)],
  mseLoss: [core.mseLoss, any(2, 3), any(2, 3)],
  l1Loss: [core.l1Loss, distinct(2, 3), any(2, 3)],
  huberLoss: [(a, b) => core.huberLoss(a, b, { delta: 0.7 }), any(2, 3), any(2, 3)],
  smoothL1Loss: [core.smoothL1Loss, any(2, 3), any(2, 3)],
  binaryCrossEntropy: [(x, y) => core.binaryCrossEntropy(core.sigmoid(x), y), any(2, 3), positive(2, 3)],
  binaryCrossEntropyWithLogits: [core.binaryCrossEntropyWithLogits, any(2, 3), positive(2, 3)],
  klDiv: [(x, y) => core.klDiv(x, y, { reduction: 'batchmean' }), any(2, 3), positive(2, 3)],
  cosineSimilarity: [core.cosineSimilarity, any(2, 3), any(2, 3)],
  nllLoss: [(x) => core.nllLoss(x, ints(2, 0)), any(2, 3)],
  crossEntropy: [(x) => core.crossEntropy(x, ints(2, 0), { labelSmoothing: 0.1 }), any(2, 3)],
  diagEmbed: [(x) => core.diagEmbed(x, 1), any(2, 3)],
  diag: [core.diag, any(3)],
  rot90: [(x) => core.rot90(x), any(2, 3)],
  fliplr: [core.fliplr, any(2, 3)],
  flipud: [core.flipud, any(2, 3)],
  tile: [(x) => core.tile(x, 2), any(2, 3)],
  unfoldDim: [(x) => core.unfoldDim(x, 1, 3, 1), any(2, 5)],
  vstack: [(a, b) => core.vstack([a, b]), any(3), any(2, 3)],
  hstack: [(a, b) => core.hstack([a, b]), any(2, 1), any(2, 3)],
  dstack: [(a, b) => core.dstack([a, b]), any(2, 3), any(2, 3)],
  blockDiag: [(a, b) => core.blockDiag(a, b), any(2, 3), any(2)],
  cartesianProd: [(a, b) => core.cartesianProd(a, b), any(2), any(3)],
  combinations: [(x) => core.combinations(x, 2), any(3)],
  scatter: [(x, s) => core.scatter(x, 1, tensor([[0, 2, 0]], { dtype: 'int32' }), s), any(2, 3), any(1, 3)],
  scatterReduce: [
    (x, s) =>
      (['sum', 'mean', 'amax', 'amin'] as const).map((r) =>
        core.scatterReduce(x, 1, tensor([[0, 2, 0]], { dtype: 'int32' }), s, r),
      ),
    distinct(2, 3),
    any(1, 3),
  ],
  take: [(x) => core.take(x, ints(5, -1, 0)), any(2, 3)],
  takeAlongDim: [(x) => core.takeAlongDim(x, tensor([[2, 0]], { dtype: 'int32' }), 1), any(2, 3)],
  maskedSelect: [(x) => core.maskedSelect(x, mask), any(3)],
  maskedScatter: [(x, s) => core.maskedScatter(x, mask, s), any(2, 3), any(5)],
  indexFill: [(x) => core.indexFill(x, 1, ints(0, 2), 5), any(2, 3)],
  indexCopy: [(x, s) => core.indexCopy(x, 0, ints(1, 1), s), any(2, 3), any(2, 3)],
  solve: [core.solve, regular, any(2, 3, 2)],
  inverse: [core.inverse, regular],
  det: [core.det, regular],
  slogdet: [(x) => core.slogdet(x).logabsdet, regular],
  cholesky: [(x) => core.cholesky(x.matmul(x.transpose(-1, -2)).add(core.eye(3, { dtype: x.dtype }))), any(3, 3)],
  matrixPower: [(x) => [core.matrixPower(x, 3), core.matrixPower(x, -2)], regular],
  logaddexp: two('logaddexp'),
  hypot: two('hypot'),
  xlogy: [core.xlogy, any(2, 3), positive(3)],
  copysign: [core.copysign, distinct(2, 3), any(3)],
  fmax: [core.fmax, distinct(2, 3), any(3)],
  fmin: [core.fmin, distinct(2, 3), any(3)],
  rad2deg: one('rad2deg'),
  deg2rad: one('deg2rad'),
  addmm: [(x, a, b) => core.addmm(x, a, b, { beta: 0.5, alpha: 2 }), any(3), any(2, 4), any(4, 3)],
  addmv: [core.addmv, any(2), any(2, 4), any(4)],
  addr: [core.addr, any(2, 3), any(2), any(3)],
  baddbmm: [core.baddbmm, any(2, 2, 2), any(2, 2, 3), any(2, 3, 2)],
  addbmm: [core.addbmm, any(2, 2), any(2, 2, 3), any(2, 3, 2)],
  mv: [core.mv, any(2, 3), any(3)],
  kron: [core.kron, any(2, 1), any(1, 3)],
  tensordot: [(a, b) => core.tensordot(a, b, 1), any(2, 3), any(3, 2)],
  cross: [core.cross, any(2, 3), any(3)],
  cumprod: [(x) => [core.cumprod(x, 1), core.cumprod(x.mul(tensor([1, 0, 1], { dtype: x.dtype })), 1)], positive(2, 3)],
  logcumsumexp: [(x) => core.logcumsumexp(x, 0), any(3, 2)],
  cummax: [(x) => core.cummax(x, 1).values, distinct(2, 4)],
  cummin: [(x) => core.cummin(x, 1).values, distinct(2, 4)],
  diff: [(x) => core.diff(x, { n: 2 }), any(2, 4)],
  erfc: one('erfc'),
  erfinv: [core.erfinv, small(2, 3)],
  lgamma: [core.lgamma, positive(2, 3)],
  digamma: [core.digamma, positive(2, 3)],
  polygamma: [(x) => core.polygamma(2, x), positive(2, 3)],
  sinc: one('sinc'),
  logit: [(x) => core.logit(x.square()), small(2, 3)],
  nansum: [(x) => core.nansum(x, 1), any(2, 3)],
  nanmean: [(x) => core.nanmean(x, 1), any(2, 3)],
  varMean: [(x) => core.varMean(x, 1), any(2, 3)],
  stdMean: [(x) => core.stdMean(x, 1), any(2, 3)],
  aminmax: [(x) => Object.values(core.aminmax(x, 1)), distinct(2, 3)],
  kthvalue: [(x) => core.kthvalue(x, 2, 0).values, distinct(3, 2)],
  median: [(x) => [core.median(x), core.median(x, 1).values], distinct(2, 3)],
  nanmedian: [(x) => core.nanmedian(x), distinct(2, 3)],
  mode: [(x) => core.mode(x).values, distinct(2, 3)],
  quantile: [(x) => core.quantile(x, [0.3, 0.5], 1), distinct(2, 3)],
  cov: [(x) => core.cov(x), any(2, 3)],
  corrcoef: [core.corrcoef, any(2, 3)],
  dist: [(a, b) => core.dist(a, b, 3), distinct(2, 3), any(2, 3)],
  cdist: [(a, b) => core.cdist(a, b), any(2, 3), any(4, 3)],
  ...ofLinalg(),
  ...ofSpecial(),
};

/** The operators of the entry point special. */
function ofSpecial(): Record<string, Case> {
  const polynomials = [
    'chebyshevPolynomialT',
    'chebyshevPolynomialU',
    'chebyshevPolynomialV',
    'chebyshevPolynomialW',
    'hermitePolynomialH',
    'hermitePolynomialHe',
    'laguerrePolynomialL',
    'legendrePolynomialP',
    'shiftedChebyshevPolynomialT',
    'shiftedChebyshevPolynomialU',
    'shiftedChebyshevPolynomialV',
    'shiftedChebyshevPolynomialW',
  ] as const;
  const names = ['i0', 'i0e', 'i1', 'i1e', 'besselJ0', 'besselJ1', 'ndtr', 'logNdtr', 'erfcx'] as const;
  const everywhere = ['sphericalBesselJ0', 'airyAi', 'modifiedBesselI0', 'modifiedBesselI1'] as const;
  const above = ['besselY0', 'besselY1', 'modifiedBesselK0', 'modifiedBesselK1'] as const;
  const scaled = ['scaledModifiedBesselK0', 'scaledModifiedBesselK1'] as const;
  // The inputs for which these have no gradient.
  const constant = (...shape: number[]) => maker(shape, (of) => core.rand(of, { dtype: 'float64' }).add(1.5));
  const all: Record<string, Case> = {
    ...Object.fromEntries(
      [...names, ...everywhere].map((name) => [name, [(x: Tensor) => special[name](x), distinct(2, 3)]]),
    ),
    ...Object.fromEntries(
      [...above, ...scaled].map((name) => [name, [(x: Tensor) => special[name](x), positive(2, 3)]]),
    ),
    ndtri: [(x) => special.ndtri(x.mul(0.5).add(0.5)), small(2, 3)],
    entr: [special.entr, positive(2, 3)],
    xlog1py: [special.xlog1py, any(2, 3), positive(3)],
    gammainc: [special.gammainc, constant(2, 3), positive(3)],
    gammaincc: [special.gammaincc, constant(2, 3), positive(3)],
    zeta: [special.zeta, constant(2, 3), positive(3)],
    multigammaln: [(x) => special.multigammaln(x.add(1), 3), positive(2, 3)],
    ...Object.fromEntries(polynomials.map((name) => [name, [(x: Tensor) => special[name](x, 4), small(2, 3)]])),
  };
  return Object.fromEntries(Object.entries(all).map(([name, entry]) => [`special.${name}`, entry]));
}

/** The operators of the entry point linalg. */
function ofLinalg(): Record<string, Case> {
  const definite = (x: Tensor) => x.matmul(x.transpose(-1, -2)).add(core.eye(3, { dtype: x.dtype }));
  const moves = (x: Tensor) => linalg.eig(x.add(core.arange(9, { dtype: x.dtype }).view(3, 3)));
  const all: Record<string, Case> = {
    eigh: [(x) => Object.values(linalg.eigh(symmetric(x))).map((v) => v.square()), any(2, 3, 3)],
    eigvalsh: [(x) => linalg.eigvalsh(symmetric(x), { UPLO: 'U' }), any(2, 3, 3)],
    eig: [(x) => Object.values(moves(x)).map(parts), regular],
    eigvals: [(x) => parts(linalg.eigvals(x)), any(2, 3, 3)],
    svd: [
      (x) => {
        const { U, S, Vh } = linalg.svd(x, { fullMatrices: false });
        return [U.square(), S, Vh.square(), U.mul(3).matmul(Vh)];
      },
      any(2, 4, 3),
    ],
    svdvals: [linalg.svdvals, any(2, 3, 4)],
    pinv: [(x) => [linalg.pinv(x), linalg.pinv(x.matmul(x.transpose(-1, -2)), { hermitian: true })], any(2, 2, 3)],
    lstsq: [
      (a, b) => {
        const { solution, residuals } = linalg.lstsq(a, b);
        return [solution, residuals];
      },
      any(4, 2),
      any(4, 3),
    ],
    qr: [(x) => Object.values(linalg.qr(x)), any(2, 4, 3)],
    householderProduct: [linalg.householderProduct, any(2, 4, 3), any(2, 2)],
    lu: [(x) => [linalg.lu(x).L, linalg.lu(x).U], any(2, 4, 3)],
    ldlSolve: [
      (b) => {
        const n = b.shape.at(-2)!;
        const matrix = core
          .arange(n * n, { dtype: b.dtype })
          .cos()
          .view([n, n]);
        const { LD, pivots } = linalg.ldlFactor(matrix.expand([...b.shape.slice(0, -2), n, n]));
        return linalg.ldlSolve(LD, pivots, b);
      },
      any(2, 3, 2),
    ],
    luFactor: [(x) => linalg.luFactor(x).LU, any(2, 3, 4)],
    luSolve: [
      (a, b) => {
        const { LU, pivots } = linalg.luFactor(a);
        return linalg.luSolve(LU, pivots, b);
      },
      regular,
      any(2, 3, 2),
    ],
    solveTriangular: [
      (a, b) => [
        linalg.solveTriangular(a, b, triangle),
        linalg.solveTriangular(a, b.transpose(-1, -2), { upper: true, left: false, unitriangular: true }),
      ],
      regular,
      any(3, 2),
    ],
    choleskySolve: [(b, x) => linalg.choleskySolve(b, core.cholesky(definite(x))), any(2, 3, 2), regular],
    choleskyInverse: [(x) => linalg.choleskyInverse(core.cholesky(definite(x))), regular],
    matrixExp: [linalg.matrixExp, any(2, 3, 3)],
    multiDot: [(a, b, c) => linalg.multiDot([a, b, c]), any(3), any(3, 4), any(4, 2)],
    logdet: [(x) => linalg.logdet(definite(x)), any(2, 3, 3)],
    vander: [(x) => linalg.vander(x, { N: 4 }), any(2, 3)],
    vecdot: [linalg.vecdot, any(2, 3), any(3)],
    tensorinv: [(x) => linalg.tensorinv(x.unsqueeze(0)), any(6, 6)],
    tensorsolve: [(a, b) => linalg.tensorsolve(a, b.flatten()), any(6, 6), any(2, 3)],
    vectorNorm: [(x) => linalg.vectorNorm(x, 3, 1), distinct(2, 3)],
    matrixNorm: [
      (x) => (['fro', 'nuc', 2, -2, 1, Number.NEGATIVE_INFINITY] as const).map((ord) => linalg.matrixNorm(x, ord)),
      distinct(2, 2, 3),
    ],
    norm: [(x) => [linalg.norm(x), linalg.norm(x, 'nuc', [0, 2]), linalg.norm(x, 1, 1)], distinct(2, 2, 3)],
    cond: [(x) => [linalg.cond(x), linalg.cond(x, 'fro')], regular],
  };
  return Object.fromEntries(Object.entries(all).map(([name, entry]) => [`linalg.${name}`, entry]));
}

/** Exported functions that have no gradient to check. */
export const notDifferentiable = new Set([
  ...[
    'eq',
    'ne',
    'lt',
    'le',
    'gt',
    'ge',
    'isnan',
    'isinf',
    'isfinite',
    'isclose',
    'allclose',
    'equal',
    'any',
    'all',
    'argmax',
    'argmin',
  ],
  ...[
    'argsort',
    'oneHot',
    'logicalAnd',
    'logicalOr',
    'logicalXor',
    'logicalNot',
    'bitwiseAnd',
    'bitwiseOr',
    'bitwiseXor',
    'floorDivide',
    'trilIndices',
    'triuIndices',
    'nonzero',
    'argwhere',
    'heaviside',
    'bitwiseLeftShift',
    'bitwiseRightShift',
    'bitwiseNot',
    'gcd',
    'lcm',
    'isposinf',
    'isneginf',
    'signbit',
    'bernoulli',
    'multinomial',
    'normal',
    'poisson',
    'unique',
    'uniqueConsecutive',
    'bincount',
    'histc',
    'searchsorted',
    'bucketize',
    'isin',
    'countNonzero',
  ],
  // The parts and arguments of operators, rather than operators.
  ...['unary', 'binary', 'erfOf', 'checkSameShape', 'checkList', 'slice', 'LinAlgError'],
]);

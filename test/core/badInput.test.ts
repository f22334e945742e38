import * as core from '@gradgate/core';
import { manualSeed, noGrad, Tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { InternalTensor } from './internalTensor.js';
import { cases, notDifferentiable } from './operators.js';
import { expectOurs, expectRefusal } from './refusals.js';

const helpers = ['unary', 'binary', 'slice', 'LinAlgError', 'trilIndices', 'triuIndices'];
const ops = await import('../../packages/core/src/ops/index.js');
const functions = Object.entries(ops).filter(
  ([name, v]) =>
    typeof v === 'function' &&
    !helpers.includes(name) &&
    (name in cases || notDifferentiable.has(name)) &&
    !name.endsWith('Of'),
) as [string, (...args: unknown[]) => unknown][];

describe('every operator refuses by name what is no tensor', () => {
  it.each(functions)('%s', (name, fn) => {
    for (const junk of [undefined, null, 'text', {}, Symbol.iterator, () => 0])
      expectRefusal(() => fn(junk), name, `${name}(${String(junk)})`);
  });
});

/** Operators that broadcast take numbers in the place of tensors, two as well as one; asTensor makes a tensor of one. */
const takeNumbers = new Set([
  'asTensor',
  ...['add', 'sub', 'mul', 'div', 'floorDivide', 'remainder', 'fmod', 'pow', 'hypot', 'atan2', 'copysign'],
  ...['maximum', 'minimum', 'fmax', 'fmin', 'logaddexp', 'xlogy', 'heaviside'],
  ...['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'logicalAnd', 'logicalOr', 'logicalXor'],
]);

describe('every operator but those that take numbers refuses them by name', () => {
  it.each(functions.filter(([name]) => !takeNumbers.has(name)))('%s', (name, fn) => {
    for (const many of [1, 2, 3]) expectRefusal(() => fn(...Array(many).fill(2)), name, `${name} of ${many} numbers`);
  });
});

/** Inputs that do not fit, made of one that does. */
const mutations: Record<string, (x: Tensor) => Tensor> = {
  'a bool tensor': (x) => x.bool(),
  'an int32 tensor': (x) => x.int(),
  'a float32 tensor': (x) => x.float(),
  'three more dimensions': (x) => x.reshape([1, 1, 1, ...x.shape]),
  'one dimension': (x) => x.flatten(),
  'no dimension': (x) => x.flatten().narrow(0, 0, 1).reshape([]),
  'one more column': (x) => (x.ndim === 0 ? x : core.cat([x, x.narrow(-1, 0, 1)], -1)),
  'no column': (x) => (x.ndim === 0 ? x : x.narrow(-1, 0, 0)),
  NaN: (x) => x.mul(Number.NaN),
  infinities: (x) => x.div(0),
};

describe('every operator refuses by name what is no tensor, in any place', () => {
  const direct = Object.entries(cases).filter(([name, [fn]]) => fn === (ops as Record<string, unknown>)[name]);
  it.each(direct.filter(([, [, ...makers]]) => makers.length > 1))('%s', (name, [fn, ...makers]) => {
    makers.forEach((_, i) => {
      const inputs: unknown[] = makers.map((make) => make());
      inputs[i] = {};
      expectRefusal(() => fn(...inputs), name, `${name} with {} as input ${i}`);
    });
  });
});

/** Cases that start with another operator, which may refuse. */
const startWithOthers = [
  ...['contiguous', 'reshape', 'cumprod', 'cholesky'],
  ...[
    'eigh',
    'eigvalsh',
    'eig',
    'pinv',
    'luSolve',
    'ldlSolve',
    'solveTriangular',
    'choleskySolve',
    'choleskyInverse',
    'logdet',
  ].map((name) => `linalg.${name}`),
  ...['linalg.tensorinv', 'special.ndtri', 'special.multigammaln'],
];

describe('every operator takes or refuses by name inputs of another rank, size or dtype', () => {
  const own = Object.entries(cases).filter(([name]) => !startWithOthers.includes(name));
  it.each(own)('%s', (name, [fn, ...makers]) => {
    manualSeed(1);
    makers.forEach((_, i) => {
      for (const [what, mutate] of Object.entries(mutations)) {
        const inputs = makers.map((make) => make().detach());
        inputs[i] = mutate(inputs[i]!);
        let out: Tensor | Tensor[];
        try {
          out = noGrad.run(() => fn(...inputs));
        } catch (error) {
          // Of another entry point, `linalg.svd`, the function's own name.
          expectOurs(error, name.split('.').at(-1)!, `${name} with ${what} as input ${i}`);
          continue;
        }
        for (const t of [out].flat()) {
          expect(t, `${name} with ${what} as input ${i}`).toBeInstanceOf(Tensor);
          expect(t.toTypedArray().length).toBe(t.numel);
        }
      }
    });
  });
});

describe('every operator that gives as much as it takes refuses by name what memory cannot hold', () => {
  const small = core.ones([4]);
  // As expand() would give it, if it let through what no operator can take.
  const large = new InternalTensor(core.ones([1]).storage, 'float32', [2 ** 40], [0]);
  const results = functions.flatMap(([name, fn]) => {
    const many = cases[name]?.length ?? 2;
    const inputs = (of: Tensor) => Array.from({ length: many - 1 }, () => of);
    try {
      const out = fn(...inputs(small));
      return out instanceof Tensor && out.numel >= small.numel && out.storage !== small.storage
        ? [[name, () => fn(...inputs(large))] as const]
        : [];
    } catch {
      return [];
    }
  });
  it.each(results)('%s', (name, call) => {
    expectRefusal(call, name, name);
  });
  it('and most are among them', () => {
    expect(results.length).toBeGreaterThan(100);
  });
});

const x = core.randn([2, 3]);
const cube = core.randn([2, 3, 4]);
const square = core.randn([3, 3]);
const ints = core.tensor([0, 1], { dtype: 'int32' });
const far = core.tensor([0, 9], { dtype: 'int32' });
const bools = core.tensor([true, false]);
const whole = core.ones([2, 3], { dtype: 'int32' });
const { slice } = core;

/** What each operator must refuse: dimensions that are not there, sizes that do not fit, dtypes it does not take. */
const refused: Record<string, (() => unknown)[]> = {
  ...Object.fromEntries(
    [
      ...[
        'sum',
        'mean',
        'prod',
        'var',
        'std',
        'amax',
        'amin',
        'any',
        'all',
        'argmax',
        'argmin',
        'max',
        'min',
        'softmax',
      ],
      ...[
        'logSoftmax',
        'logsumexp',
        'cumsum',
        'cumprod',
        'logcumsumexp',
        'cummax',
        'cummin',
        'flip',
        'sort',
        'argsort',
      ],
      ...[
        'squeeze',
        'unsqueeze',
        'unbind',
        'flatten',
        'nansum',
        'nanmean',
        'varMean',
        'stdMean',
        'aminmax',
        'median',
        'nanmedian',
        'mode',
        'countNonzero',
      ],
    ].map((op) => [op, [5, -5, 0.5, '0' as never].map((dim) => () => (core as any)[op](x, dim))]),
  ),
  ...Object.fromEntries(
    [
      ...[
        'add',
        'sub',
        'mul',
        'div',
        'maximum',
        'minimum',
        'pow',
        'atan2',
        'fmod',
        'remainder',
        'floorDivide',
        'eq',
        'ne',
        'lt',
        'le',
        'gt',
        'ge',
      ],
      ...[
        'logicalAnd',
        'logicalOr',
        'logicalXor',
        'hypot',
        'logaddexp',
        'xlogy',
        'copysign',
        'heaviside',
        'fmax',
        'fmin',
        'isclose',
        'dist',
      ],
    ].map((op) => [
      op,
      [() => (core as any)[op](x, core.ones([2, 2])), () => (core as any)[op](x, 'one'), () => (core as any)[op](x)],
    ]),
  ),
  ...Object.fromEntries(
    ['bitwiseAnd', 'bitwiseOr', 'bitwiseXor', 'bitwiseLeftShift', 'bitwiseRightShift', 'gcd', 'lcm'].map((op) => [
      op,
      [() => (core as any)[op](x, x), () => (core as any)[op](whole, core.ones([2, 2], { dtype: 'int32' }))],
    ]),
  ),
  ...Object.fromEntries(
    [
      'mean',
      'var',
      'std',
      'softmax',
      'logSoftmax',
      'norm',
      'nanmean',
      'quantile',
      'bernoulli',
      'poisson',
      'cov',
      'histc',
      'logcumsumexp',
      'inverse',
      'det',
      'slogdet',
      'cholesky',
    ].map((op) => [`${op} of integers`, [() => (core as any)[op](whole, 0)]]),
  ),
  norm: [
    ...[0, 1, 2, 3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((p) => () => core.norm(x, p, 5)),
    () => core.norm(x, 1, 0, { keepDim: true } as never),
  ],
  transpose: [() => core.transpose(x, 0, 2)],
  swapaxes: [() => core.swapaxes(x, 0, 2)],
  movedim: [() => core.movedim(x, 0, 2)],
  permute: [() => core.permute(x, 0), () => core.permute(x, 0, 0), () => core.permute(x, 0, 2)],
  view: [
    () => core.view(x, 4),
    () => core.view(x, -1, -1),
    () => core.view(x, -1, 4),
    () => core.view(x.t(), 6),
    () => core.view(x, 1.5),
  ],
  reshape: [() => core.reshape(x, 4), () => core.reshape(x, -2, -3), () => core.reshape(x, -1, 0)],
  unflatten: [() => core.unflatten(x, 1, [2, 2]), () => core.unflatten(x, 3, [1])],
  expand: [() => core.expand(x, 3, 3), () => core.expand(x, 3), () => core.expand(x, -1, 2, 3)],
  expandAs: [() => core.expandAs(x, square)],
  broadcastTensors: [() => core.broadcastTensors([x, core.ones([2])]), () => core.broadcastTensors([])],
  narrow: [
    () => core.narrow(x, 1, 2, 2),
    () => core.narrow(x, 1, 0, -1),
    () => core.narrow(x, 2, 0, 1),
    () => core.narrow(x, 1, 0.5, 1),
  ],
  select: [
    () => core.select(x, 0, 2),
    () => core.select(x, 0, -3),
    () => core.select(x, 2, 0),
    () => core.select(x, 0, 0.5),
  ],
  cat: [
    () => core.cat([]),
    () => core.cat([x, square.narrow(1, 0, 2)]),
    () => core.cat([x, cube]),
    () => core.cat([x, 1 as never]),
    () => core.cat([x], 2),
  ],
  stack: [() => core.stack([]), () => core.stack([x, square]), () => core.stack([x], 4)],
  split: [() => core.split(x, 0), () => core.split(x, [1, 2]), () => core.split(x, 1, 2)],
  chunk: [() => core.chunk(x, 0), () => core.chunk(x, 2, 2)],
  to: [() => core.to(x, 'complex32' as never)],
  copy_: [() => core.copy_(whole.clone(), x), () => core.copy_(x.clone(), cube)],
  clamp: [() => core.clamp(x), () => core.clamp(x, core.ones([5])), () => core.clamp(x, '1' as never)],
  clip: [() => core.clip(x), () => core.clip(x, core.ones([5]))],
  asTensor: [() => core.asTensor(x, { device: 'tpu' }), () => core.asTensor([[1], [1, 2]])],
  where: [() => core.where(x, x, x), () => core.where(bools, x, x)],
  maskedFill: [() => core.maskedFill(x, x, 0), () => core.maskedFill(x, bools, 0)],
  maskedSelect: [() => core.maskedSelect(x, x), () => core.maskedSelect(x, bools)],
  maskedScatter: [
    () => core.maskedScatter(x, x.gt(-9), core.ones([2])),
    () => core.maskedScatter(x, bools, x),
    () => core.maskedScatter(x, x.gt(0), whole),
    () => core.maskedScatter(x, x.gt(0), null as never),
  ],
  gather: [
    () => core.gather(x, 1, whole.mul(9)),
    () => core.gather(x, 2, whole),
    () => core.gather(x, 1, ints),
    () => core.gather(x, 1, x),
    () => core.gather(x, 1, whole.neg()),
  ],
  scatter: [
    () => core.scatter(x, 1, whole.mul(9), x),
    () => core.scatter(x, 1, whole, square.narrow(1, 0, 1)),
    () => core.scatter(x, 1, whole, whole),
    () => core.scatter(x, 1, x, x),
  ],
  scatterAdd: [
    () => core.scatterAdd(x, 1, whole.mul(9), x),
    () => core.scatterAdd(x, 1, whole, whole),
    () => core.scatterAdd(x, 2, whole, x),
  ],
  scatterReduce: [
    () => core.scatterReduce(x, 1, whole, x, 'median' as never),
    () => core.scatterReduce(x, 1, whole.mul(9), x, 'sum'),
  ],
  indexSelect: [
    () => core.indexSelect(x, 0, far),
    () => core.indexSelect(x, 0, x),
    () => core.indexSelect(x, 2, ints),
    () => core.indexSelect(x, 0, whole),
  ],
  indexAdd: [
    () => core.indexAdd(x, 0, far, x),
    () => core.indexAdd(x, 0, ints, square),
    () => core.indexAdd(x, 0, x, x),
  ],
  indexCopy: [
    () => core.indexCopy(x, 0, far, x),
    () => core.indexCopy(x, 0, ints, square),
    () => core.indexCopy(x, 0, ints, whole),
  ],
  indexFill: [() => core.indexFill(x, 0, far, 1), () => core.indexFill(x, 0, x, 1)],
  take: [() => core.take(x, far), () => core.take(x, x)],
  takeAlongDim: [
    () => core.takeAlongDim(x, ints, 1),
    () => core.takeAlongDim(x, whole.mul(5), 1),
    () => core.takeAlongDim(x, x, 1),
  ],
  at: [
    () => core.at(x, 2),
    () => core.at(x, 0, 0, 0),
    () => core.at(x, '...', '...'),
    () => core.at(x, far),
    () => core.at(x, x),
    () => core.at(x, [0, 0.5]),
    () => core.at(x, bools, bools),
    () => core.at(x, ints, core.tensor([0, 1, 2], { dtype: 'int32' })),
    () => core.at(x, 'a' as never),
    () => core.at(x, undefined as never),
  ],
  set: [
    () => core.set(x.clone(), 2, 0),
    () => core.set(x.clone(), ints, core.ones([4])),
    () => core.set(whole.clone(), 0, x.select(0, 0)),
    () => core.set(x.clone(), x.gt(0), core.ones([9])),
  ],
  roll: [
    () => core.roll(x, [1, 2]),
    () => core.roll(x, [1, 2], 0),
    () => core.roll(x, 1, 2),
    () => core.roll(x, 0.5, 0),
  ],
  repeat: [() => core.repeat(x, 2), () => core.repeat(x, -1, 1)],
  tile: [() => core.tile(x, -1)],
  repeatInterleave: [
    () => core.repeatInterleave(x, -1),
    () => core.repeatInterleave(x, 2, 2),
    () => core.repeatInterleave(x, 0.5),
  ],
  tril: [() => core.tril(x.select(0, 0))],
  triu: [() => core.triu(x.select(0, 0))],
  pad: [
    () => core.pad(x, [1]),
    () => core.pad(x, [1, 1, 1, 1, 1, 1]),
    () => core.pad(x, [3, 0], { mode: 'reflect' }),
    () => core.pad(x, [1, 1], { mode: 'mirror' as never }),
    () => core.pad(x, [-2, -2]),
  ],
  topk: [() => core.topk(x, 4), () => core.topk(x, -1), () => core.topk(x, 1, 2)],
  kthvalue: [() => core.kthvalue(x, 0), () => core.kthvalue(x, 4), () => core.kthvalue(x, 1, 2)],
  quantile: [
    () => core.quantile(x, 2),
    () => core.quantile(x, 0.5, 3),
    () => core.quantile(x, 0.5, 0, { interpolation: 'cubic' as never }),
  ],
  oneHot: [
    () => core.oneHot(x),
    () => core.oneHot(ints, 1),
    () => core.oneHot(ints.neg()),
    () => core.oneHot(ints, Symbol.iterator as never),
    () => core.oneHot(ints, {} as never),
  ],
  diagonal: [() => core.diagonal(x, 0, 0, 0), () => core.diagonal(x.select(0, 0)), () => core.diagonal(x, 0.5)],
  diagEmbed: [() => core.diagEmbed(x, 0, 1, 1), () => core.diagEmbed(core.tensor(1))],
  diag: [() => core.diag(cube)],
  trace: [() => core.trace(x.select(0, 0)), () => core.trace(cube)],
  rot90: [() => core.rot90(x, 1, [0, 0]), () => core.rot90(x, 0.5)],
  unfoldDim: [() => core.unfoldDim(x, 1, 4, 1), () => core.unfoldDim(x, 1, 1, 0)],
  combinations: [() => core.combinations(x), () => core.combinations(x.select(0, 0), -1)],
  vstack: [() => core.vstack([x, cube]), () => core.vstack([])],
  hstack: [() => core.hstack([x, cube]), () => core.hstack([])],
  dstack: [() => core.dstack([square, cube]), () => core.dstack([])],
  blockDiag: [() => core.blockDiag(cube)],
  diff: [() => core.diff(core.tensor(1)), () => core.diff(x, { n: -1 }), () => core.diff(x, { dim: 2 })],
  matmul: [
    () => core.matmul(x, x),
    () => core.matmul(x, whole.t()),
    () => core.matmul(core.tensor(1), x),
    () => core.matmul(bools, bools),
    () => core.matmul(cube, core.ones([3, 4, 2])),
  ],
  mm: [() => core.mm(x, cube), () => core.mm(x, x)],
  bmm: [() => core.bmm(cube, x), () => core.bmm(cube, core.ones([3, 4, 2]))],
  mv: [() => core.mv(x, x), () => core.mv(x, core.ones([2]))],
  linear: [() => core.linear(x, x.t()), () => core.linear(x, x, core.ones([3])), () => core.linear(x, whole)],
  addmm: [() => core.addmm(x, x, x), () => core.addmm(core.ones([5]), x, x.t())],
  addmv: [() => core.addmv(x, x, core.ones([2]))],
  addr: [() => core.addr(x, x, x)],
  baddbmm: [() => core.baddbmm(x, x, x)],
  addbmm: [() => core.addbmm(x, x, x)],
  outer: [() => core.outer(x, x)],
  dot: [() => core.dot(x, x), () => core.dot(core.ones([2]), core.ones([3]))],
  cross: [() => core.cross(x, x, 0), () => core.cross(x, x, 3)],
  tensordot: [() => core.tensordot(x, x, 1), () => core.tensordot(x, x, 3), () => core.tensordot(x, x, [[0], [1, 0]])],
  einsum: [
    () => core.einsum('ij,jk->ik', x),
    () => core.einsum('ij,jk->ik', x, x),
    () => core.einsum('i->i', x),
    () => core.einsum('ij->k', x),
    () => core.einsum('ij->i->j', x),
    () => core.einsum('ij->ij->', x),
  ],
  cdist: [() => core.cdist(x, core.ones([2, 2])), () => core.cdist(x, whole), () => core.cdist(x, x.select(0, 0))],
  solve: [
    () => core.solve(x, x),
    () => core.solve(square, x),
    () => core.solve(core.zeros([3, 3]), core.ones([3])),
    () => core.solve(square, whole.t()),
  ],
  inverse: [() => core.inverse(x), () => core.inverse(core.zeros([2, 2]))],
  det: [() => core.det(x)],
  slogdet: [() => core.slogdet(x)],
  cholesky: [() => core.cholesky(x), () => core.cholesky(core.eye(3).neg())],
  matrixPower: [() => core.matrixPower(x, 2), () => core.matrixPower(square, 0.5)],
  conv2d: [
    () => core.conv2d(x, x),
    () => core.conv2d(core.ones([1, 2, 4, 4]), core.ones([1, 3, 2, 2])),
    () => core.conv2d(core.ones([1, 2, 2, 2]), core.ones([1, 2, 3, 3])),
    () => core.conv2d(core.ones([1, 2, 4, 4]), core.ones([1, 2, 2, 2]), core.ones([2])),
    () => core.conv2d(core.ones([1, 2, 4, 4]), core.ones([1, 2, 2, 2]), null, { stride: 0 }),
    () => core.conv2d(core.ones([1, 2, 4, 4]), core.ones([3, 1, 2, 2]), null, { groups: 2 }),
  ],
  conv1d: [() => core.conv1d(x, x), () => core.conv1d(cube, core.ones([1, 2, 2]))],
  convTranspose2d: [
    () => core.convTranspose2d(x, x),
    () => core.convTranspose2d(core.ones([1, 2, 2, 2]), core.ones([3, 1, 2, 2])),
  ],
  convTranspose1d: [() => core.convTranspose1d(x, x)],
  maxPool2d: [
    () => core.maxPool2d(x, 2),
    () => core.maxPool2d(core.ones([1, 1, 4, 4]), 0),
    () => core.maxPool2d(core.ones([1, 1, 4, 4]), 2, { padding: 2 }),
    () => core.maxPool2d(core.ones([1, 1, 2, 2]), 3),
  ],
  maxPool1d: [() => core.maxPool1d(core.tensor(1), 2)],
  avgPool2d: [() => core.avgPool2d(x, 2), () => core.avgPool2d(core.ones([1, 1, 2, 2]), 3)],
  avgPool1d: [() => core.avgPool1d(core.tensor(1), 2)],
  adaptiveAvgPool2d: [() => core.adaptiveAvgPool2d(x, 2), () => core.adaptiveAvgPool2d(core.ones([1, 1, 4, 4]), 0)],
  adaptiveAvgPool1d: [() => core.adaptiveAvgPool1d(core.tensor(1), 2)],
  layerNorm: [() => core.layerNorm(x, [2]), () => core.layerNorm(x, [3], core.ones([2]))],
  rmsNorm: [() => core.rmsNorm(x, [2])],
  groupNorm: [() => core.groupNorm(cube, 2), () => core.groupNorm(core.ones([3]), 1)],
  instanceNorm: [() => core.instanceNorm(x)],
  batchNorm: [
    () => core.batchNorm(core.ones([3]), null, null, { training: true }),
    () => core.batchNorm(x, core.ones([2]), core.ones([2])),
    () => core.batchNorm(x, null, null),
  ],
  normalize: [() => core.normalize(x, { dim: 4 })],
  embedding: [() => core.embedding(far, x), () => core.embedding(x, x), () => core.embedding(ints, cube)],
  scaledDotProductAttention: [
    () => core.scaledDotProductAttention(cube, cube, core.ones([2, 5, 4])),
    () => core.scaledDotProductAttention(cube, core.ones([2, 3, 5]), cube),
  ],
  dropout: [() => core.dropout(x, { p: 2 })],
  glu: [() => core.glu(x, 1), () => core.glu(x, 5)],
  prelu: [() => core.prelu(x, core.ones([2]))],
  gelu: [() => core.gelu(x, { approximate: 'sigmoid' as never })],
  ...Object.fromEntries(
    [
      'mseLoss',
      'l1Loss',
      'huberLoss',
      'smoothL1Loss',
      'binaryCrossEntropy',
      'binaryCrossEntropyWithLogits',
      'klDiv',
    ].map((op) => [op, [() => (core as any)[op](x, square), () => (core as any)[op](x, x, { reduction: 'average' })]]),
  ),
  cosineSimilarity: [() => core.cosineSimilarity(x, core.ones([2, 2])), () => core.cosineSimilarity(x, x, { dim: 4 })],
  nllLoss: [
    () => core.nllLoss(x, far),
    () => core.nllLoss(x, ints.neg().sub(1)),
    () => core.nllLoss(x, core.ones([3], { dtype: 'int32' })),
    () => core.nllLoss(x, x.select(1, 0)),
  ],
  crossEntropy: [
    () => core.crossEntropy(x, far),
    () => core.crossEntropy(x, core.ones([3], { dtype: 'int32' })),
    () => core.crossEntropy(x, ints, { labelSmoothing: 2 }),
    () => core.crossEntropy(x, ints, { weight: core.ones([2]) }),
  ],
  bincount: [
    () => core.bincount(x),
    () => core.bincount(whole),
    () => core.bincount(ints.neg()),
    () => core.bincount(ints, { weights: core.ones([3]) }),
  ],
  histc: [
    () => core.histc(x, { bins: 0 }),
    () => core.histc(x, { min: 2, max: 1 }),
    () => core.histc(x.mul(Number.NaN)),
  ],
  searchsorted: [
    () => core.searchsorted(core.tensor(1), x),
    () => core.searchsorted(x, core.ones([3, 3])),
    ...[{}, '1', null, 2n, Symbol.iterator].map((v) => () => core.searchsorted(core.ones([3]), v as never)),
  ],
  bucketize: [() => core.bucketize(x, x), () => core.bucketize({} as never, core.ones([3]))],
  unique: [() => core.unique(x, { dim: 2 })],
  uniqueConsecutive: [() => core.uniqueConsecutive(x, { dim: 2 })],
  multinomial: [
    () => core.multinomial(core.tensor([-1, 2]), 1),
    () => core.multinomial(core.zeros([2]), 1),
    () => core.multinomial(core.ones([2]), 3),
    () => core.multinomial(cube, 1),
    () => core.multinomial(core.ones([2]), 0),
    () => core.multinomial(core.tensor([Number.NaN, 1]), 1),
  ],
  bernoulli: [() => core.bernoulli(x.mul(0).add(2))],
  poisson: [() => core.poisson(x.mul(0).sub(1))],
  normal: [() => core.normal(0, -1, { shape: [2] }), () => core.normal(0, 1), () => core.normal(x, core.ones([2]))],
  polygamma: [() => core.polygamma(-1, x), () => core.polygamma(0.5, x)],
  bitwiseNot: [() => core.bitwiseNot(x)],
  trilIndices: [() => core.trilIndices(-1, 2)],
  triuIndices: [() => core.triuIndices(2, 0.5)],
  slice: [() => slice(0, 1, 0), () => slice(0.5), () => slice(0, 1, -1)],
  meshgrid: [() => core.meshgrid(x), () => core.meshgrid()],
  lerp: [() => core.lerp(x, core.ones([2, 2]), 0.5), () => core.lerp(x, x, 'half' as never)],
  addcmul: [() => core.addcmul(x, x, core.ones([2, 2]))],
  addcdiv: [() => core.addcdiv(x, x, core.ones([2, 2]))],
  allclose: [() => core.allclose(x, core.ones([2, 2]))],
  sumTo: [
    () => core.sumTo(x, [4]),
    () => core.sumTo(x, [3, 2]),
    () => core.sumTo(x, [1, 2, 3]),
    () => core.sumTo(x, [x] as never),
  ],
  softplus: [() => core.softplus(x, 2 as never), () => core.softplus(x, { Beta: 2 } as never)],
  elu: [() => core.elu(x, 0.5 as never), () => core.elu(x, { alpha: '1' } as never)],
  celu: [() => core.celu(x, 0.5 as never), () => core.celu(x, { Alpha: 1 } as never)],
  hardtanh: [() => core.hardtanh(x, -1 as never), () => core.hardtanh(x, { minVal: -1 } as never)],
  nanToNum: [() => core.nanToNum(x, 0 as never), () => core.nanToNum(x, { nan: null } as never)],
  logit: [() => core.logit(x, 0.1 as never), () => core.logit(x, { epsilon: 0.1 } as never)],
  cov: [() => core.cov(x, 1 as never), () => core.cov(x, { unbiased: true } as never)],
};

describe('every operator refuses by name what it cannot take', () => {
  it.each(Object.entries(refused))('%s', (name, calls) => {
    calls.forEach((call, i) => {
      expectRefusal(call, name.split(' ')[0]!, `${name}, call ${i}: ${call}`);
    });
  });

  it('and every operator but the elementwise ones is in the table', () => {
    const elementwise = functions.filter(([, fn]) => {
      try {
        return fn(x) instanceof Tensor && fn.length <= 1;
      } catch {
        return false;
      }
    });
    // These take any shapes and dtypes.
    const anything = ['equal', 'kron', 'isin'];
    const names = new Set([...elementwise.map(([name]) => name), ...Object.keys(refused), ...anything]);
    expect(functions.map(([name]) => name).filter((name) => !names.has(name))).toEqual([]);
  });

  it('functions of two operands refuse options, which their methods take, and can be passed to reduce()', () => {
    const [a, b] = [core.ones([2]), core.ones([2])];
    const three = core.add as (...args: unknown[]) => Tensor;
    for (const options of [{ alpha: 2 }, {}, null, core.ones([2])])
      expect(() => three(a, b, options)).toThrow(/^add: takes two operands, got also /);
    expect(() => (core.div as typeof three)(a, b, { roundingMode: 'floor' })).toThrow(/^div: takes two operands/);
    expect([a, b, a].reduce(core.add).toArray()).toEqual([3, 3]);
  });

  it('repeat refuses in its own name what memory cannot hold', () => {
    expect(() => core.repeat(core.ones([600]), 1e300, 1)).toThrow(/^repeat: /);
  });

  it('nothing is written when a write is refused', () => {
    const t = core.zeros([2, 3]);
    const writes = [
      () => t.set(core.tensor([0, 5], { dtype: 'int32' }), 1),
      () => t.copy_(cube),
      () => t.add_(cube),
      () => t.scatter_(1, whole.mul(9), x),
      () => t.indexAdd_(0, far, x),
      () => t.normal_(0, -1),
      () => t.maskedScatter_(t.eq(0), core.ones([2])),
      () => t.clamp_(),
    ];
    for (const write of writes) expect(write).toThrow();
    expect([t.sum().item(), t.version]).toEqual([0, 0]);
  });
});

import {
  arange,
  cat,
  conv1d,
  eq,
  Generator,
  manualSeed,
  noGrad,
  ones,
  pad,
  randint,
  randn,
  slice,
  stack,
  Tensor,
  TensorError,
  tensor,
  where,
  zeros,
} from '@gradgate/core';
import * as nn from '@gradgate/nn';
import { exportOnnx } from '@gradgate/onnx';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'warning';

/** A module of one function. */
class Fn extends nn.Module {
  constructor(private readonly fn: (...args: any[]) => unknown) {
    super();
  }
  override forward(...args: unknown[]): any {
    return this.fn(...args);
  }
}

const arrays: Record<string, (t: Tensor) => ort.Tensor.DataType> = {
  float32: (t) => t.toTypedArray() as Float32Array,
  float64: (t) => t.toTypedArray() as Float64Array,
  int32: (t) => t.toTypedArray() as Int32Array,
  int64: (t) => BigInt64Array.from(t.toTypedArray(), (n) => BigInt(n)),
  bool: (t) => Uint8Array.from(t.toTypedArray().map(Number)),
};

/** What onnxruntime makes of the exported model: by output. */
async function run(file: Uint8Array, inputs: Tensor[]): Promise<Record<string, ort.Tensor>> {
  const session = await ort.InferenceSession.create(file);
  const feeds = Object.fromEntries(
    inputs.map((x, i) => [
      session.inputNames[i]!,
      new ort.Tensor(x.dtype as 'float32', arrays[x.dtype]!(x) as Float32Array, x.shape),
    ]),
  );
  return (await session.run(feeds)) as Record<string, ort.Tensor>;
}

/** onnxruntime gives what the model gives: for the inputs that it was exported with, and for others. */
async function same(model: nn.Module, inputs: Tensor[], others: Tensor[]): Promise<void> {
  const file = exportOnnx(model, inputs);
  model.eval();
  for (const args of [inputs, others]) {
    const outputs = Object.values(await run(file, args));
    const given = noGrad.run(() => (model as any)(...args));
    const expected = tensorsIn(given);
    expect(outputs.length).toBe(expected.length);
    expected.forEach((y, i) => {
      expect(outputs[i]!.dims).toEqual(y.shape);
      expect(outputs[i]!.type).toBe(y.dtype);
      const [got, wanted] = [[...(outputs[i]!.data as Float32Array)].map(Number), y.toTypedArray().map(Number)];
      for (const [j, value] of wanted.entries())
        if (!(Math.abs(got[j]! - value) <= 1e-5 + 1e-4 * Math.abs(value)) && !Object.is(got[j], value))
          expect.fail(`element ${j} of output ${i} is ${got[j]}, and ours ${value}`);
    });
  }
}

const tensorsIn = (given: unknown): Tensor[] =>
  given instanceof Tensor ? [given] : Object.values(given as object).flatMap(tensorsIn);

manualSeed(5);
const images = () => randn([2, 4, 9, 8]);
const sequences = () => randn([2, 5, 8]);
const rows = () => randn([3, 8]);
const tokens = () => randint(0, 10, [2, 6]);

/** Batch norms that have seen something. */
function trained<M extends nn.Module>(model: M, x: Tensor): M {
  noGrad.run(() => (model as any)(x));
  return model;
}

class Transformer extends nn.Module {
  embedding = new nn.Embedding(10, 8);
  places = nn.buffer(randn([6, 8]));
  encoder = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16 }), 2);
  head = new nn.Linear(8, 10);
  override forward(ids: Tensor): Tensor {
    return this.head(this.encoder(this.embedding(ids).add(this.places)));
  }
}

class Residual extends nn.Module {
  conv = new nn.Conv2d(4, 4, 3, { padding: 1, bias: false });
  norm = new nn.BatchNorm2d(4);
  pool = new nn.AdaptiveAvgPool2d(1);
  head = new nn.Linear(4, 3);
  override forward(x: Tensor): Tensor {
    return this.head(this.pool(this.norm(this.conv(x)).add(x).relu()).flatten(1));
  }
}

const layers: Record<string, () => [nn.Module, () => Tensor]> = {
  Linear: () => [new nn.Linear(8, 3), rows],
  'Linear over leading dimensions': () => [new nn.Linear(8, 3), sequences],
  'Linear without bias': () => [new nn.Linear(8, 3, { bias: false }), rows],
  MLP: () => [new nn.Sequential(new nn.Linear(8, 6), new nn.Tanh(), new nn.Dropout(), new nn.Linear(6, 2)), rows],
  Conv2d: () => [new nn.Conv2d(4, 6, 3, { padding: 1, stride: 2 }), images],
  'Conv2d in groups, dilated': () => [new nn.Conv2d(4, 8, 3, { groups: 2, dilation: 2, padding: [2, 1] }), images],
  Conv1d: () => [new nn.Conv1d(5, 6, 3, { padding: 'same' }), sequences],
  ConvTranspose2d: () => [new nn.ConvTranspose2d(4, 3, 3, { stride: 2, padding: 1, outputPadding: 1 }), images],
  BatchNorm2d: () => [trained(new nn.BatchNorm2d(4), images().add(3)), images],
  BatchNorm1d: () => [trained(new nn.BatchNorm1d(8), rows().mul(2)), rows],
  LayerNorm: () => [new nn.LayerNorm(8), sequences],
  'LayerNorm of two dimensions, without weights': () => [
    new nn.LayerNorm([5, 8], { elementwiseAffine: false }),
    sequences,
  ],
  'LayerNorm of one element': () => [new nn.LayerNorm(1), () => randn([3, 1])],
  RMSNorm: () => [new nn.RMSNorm(8), sequences],
  'RMSNorm of one element': () => [new nn.RMSNorm(1), () => randn([3, 1])],
  GroupNorm: () => [new nn.GroupNorm(2, 4), images],
  InstanceNorm2d: () => [new nn.InstanceNorm2d(4), images],
  MaxPool2d: () => [new nn.MaxPool2d(3, { stride: 2, padding: 1 }), images],
  AvgPool2d: () => [new nn.AvgPool2d(2), images],
  'AvgPool2d with padding': () => [new nn.AvgPool2d(3, { stride: 2, padding: 1 }), images],
  'MaxPool2d with ceilMode': () => [new nn.MaxPool2d(3, { stride: 2, padding: 1, ceilMode: true }), images],
  'AvgPool2d with ceilMode': () => [new nn.AvgPool2d(3, { stride: 2, ceilMode: true }), images],
  AdaptiveMaxPool2d: () => [new nn.AdaptiveMaxPool2d([4, 3]), images],
  Conv3d: () => [new nn.Conv3d(1, 2, 2, { padding: 1 }), () => randn([1, 1, 3, 4, 4])],
  ConvTranspose3d: () => [new nn.ConvTranspose3d(2, 1, 2, { stride: 2 }), () => randn([1, 2, 2, 3, 3])],
  MaxPool3d: () => [new nn.MaxPool3d(2), () => randn([1, 2, 4, 4, 4])],
  AdaptiveAvgPool2d: () => [new nn.AdaptiveAvgPool2d([4, 3]), images],
  'Upsample, nearest': () => [new nn.Upsample({ scaleFactor: 2 }), images],
  'Upsample, bilinear': () => [new nn.Upsample({ size: [13, 11], mode: 'bilinear' }), images],
  PixelShuffle: () => [new nn.PixelShuffle(2), images],
  Flatten: () => [new nn.Flatten(), images],
  ZeroPad2d: () => [new nn.ZeroPad2d([1, 2, 0, 1]), images],
  ReLU6: () => [new nn.ReLU6(), rows],
  GELU: () => [new nn.GELU(), rows],
  'GELU by tanh': () => [new nn.GELU({ approximate: 'tanh' }), rows],
  SiLU: () => [new nn.SiLU(), rows],
  Mish: () => [new nn.Mish(), rows],
  ELU: () => [new nn.ELU(), rows],
  SELU: () => [new nn.SELU(), rows],
  CELU: () => [new nn.CELU({ alpha: 2 }), rows],
  LeakyReLU: () => [new nn.LeakyReLU(), rows],
  PReLU: () => [new nn.PReLU(), rows],
  Softplus: () => [new nn.Softplus({ beta: 2 }), rows],
  Softsign: () => [new nn.Softsign(), rows],
  Hardswish: () => [new nn.Hardswish(), rows],
  Hardsigmoid: () => [new nn.Hardsigmoid(), rows],
  Hardtanh: () => [new nn.Hardtanh(), rows],
  Hardshrink: () => [new nn.Hardshrink(), rows],
  Softshrink: () => [new nn.Softshrink(), rows],
  LogSigmoid: () => [new nn.LogSigmoid(), rows],
  Sigmoid: () => [new nn.Sigmoid(), rows],
  GLU: () => [new nn.GLU(), rows],
  Softmax: () => [new nn.Softmax(1), rows],
  LogSoftmax: () => [new nn.LogSoftmax(1), rows],
  Embedding: () => [new nn.Embedding(10, 4), tokens],
  LSTM: () => [new nn.LSTM(8, 6, { batchFirst: true, numLayers: 2, bidirectional: true }), sequences],
  GRU: () => [new nn.GRU(8, 6), sequences],
  RNN: () => [new nn.RNN(8, 6), sequences],
  MultiheadAttention: () => {
    const attention = new nn.MultiheadAttention(8, 2, { batchFirst: true });
    class SelfAttention extends nn.Module {
      attention = attention;
      override forward(x: Tensor): Tensor[] {
        return this.attention(x, x, x) as unknown as Tensor[];
      }
    }
    return [new SelfAttention(), sequences];
  },
  'a transformer': () => [new Transformer(), tokens],
  'a residual network': () => [trained(new Residual(), images()), images],
};

const functions: Record<string, [(...args: any[]) => unknown, () => Tensor[]]> = {
  'cat with a constant': [(x: Tensor) => cat([ones([3, 2]), x, x.mul(2)], 1), () => [rows()]],
  stack: [(x: Tensor) => stack([x, x.neg()], 1), () => [rows()]],
  'slices and steps': [(x: Tensor) => x.narrow(1, 2, 4).add(x.at(slice(), slice(0, 8, 2))), () => [rows()]],
  'views of views': [
    (x: Tensor) => x.permute(2, 0, 1).narrow(1, 1, 1).squeeze(1).t().unsqueeze(0),
    () => [sequences()],
  ],
  expand: [
    (x: Tensor) =>
      x
        .unsqueeze(1)
        .expand(3, 4, 8)
        .mul(ones([4, 8])),
    () => [rows()],
  ],
  'expand alone': [(x: Tensor) => x.unsqueeze(1).expand(3, 4, 8), () => [rows()]],
  flip: [(x: Tensor) => x.flip(1), () => [rows()]],
  reductions: [
    (x: Tensor) => [
      x.sum(1),
      x.mean([0, 2]),
      x.amax(1, { keepdim: true }),
      x.prod(2),
      x.norm(),
      x.var(1),
      x.std(0),
      x.logsumexp(2),
    ],
    () => [sequences()],
  ],
  'argmax and sort': [(x: Tensor) => [x.argmax(1), x.argmax(), x.sort(1)], () => [rows()]],
  comparisons: [
    (x: Tensor, y: Tensor) => [x.gt(y), x.le(0), eq(x, x), x.gt(0).logicalAnd(y.lt(0)), x.gt(0).any(1)],
    () => [rows(), rows()],
  ],
  where: [(x: Tensor, y: Tensor) => where(x.gt(y), x, 0), () => [rows(), rows()]],
  arithmetic: [
    (x: Tensor, y: Tensor) => [
      x.sub(y),
      x.div(y),
      x.abs().pow(1.5),
      x.maximum(y),
      x.clamp(-1, 1),
      x.square().sqrt(),
      x.exp().log1p(),
    ],
    () => [rows(), rows()],
  ],
  'arithmetic of bool': [
    (x: Tensor, y: Tensor) => {
      const [a, b] = [x.gt(0), y.gt(0)];
      return [a.add(b), a.mul(b), a.maximum(b), a.minimum(b), a.pow(b)];
    },
    () => [rows(), rows()],
  ],
  gather: [
    (x: Tensor) =>
      x.gather(
        1,
        tensor([
          [0, 1],
          [2, 3],
          [7, 0],
        ]).to('int32'),
      ),
    () => [rows()],
  ],
  'a write into a part': [
    (x: Tensor) => {
      const y = zeros([3, 8]);
      y.narrow(1, 2, 3).copy_(x.narrow(1, 0, 3));
      y.narrow(0, 0, 1).fill_(5);
      return y;
    },
    () => [rows()],
  ],
  cumsum: [(x: Tensor) => x.cumsum(1), () => [rows()]],
  'a causal mask': [
    (x: Tensor) => nn.functional.scaledDotProductAttention(x, x, x, { isCausal: true }),
    () => [sequences()],
  ],
  matmul: [(x: Tensor, y: Tensor) => x.matmul(y.transpose(1, 2)), () => [sequences(), sequences()]],
  'constants of arange': [(x: Tensor) => x.add(arange(8)), () => [rows()]],
  'conv1d of a constant kernel': [(x: Tensor) => conv1d(x, ones([1, 5, 3])), () => [sequences()]],
  pad: [(x: Tensor) => pad(x, [1, 1], { value: 3 }), () => [rows()]],
  'int32 inputs': [(x: Tensor) => x.add(1).mul(x), () => [tokens().to('int32')]],
  'float64 inputs': [(x: Tensor) => x.mul(2).softmax(1), () => [rows().to('float64')]],
};

describe('exportOnnx: onnxruntime gives what we give', () => {
  it.each(Object.keys(layers))('%s', async (name) => {
    const [model, input] = layers[name]!();
    await same(model, [input()], [input()]);
  });
  it.each(Object.keys(functions))('%s', async (name) => {
    const [fn, inputs] = functions[name]!;
    await same(new Fn(fn), inputs(), inputs());
  });
});
describe('exportOnnx', () => {
  const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
  const x = randn([3, 4]);

  it('names inputs, outputs and parameters', async () => {
    const file = exportOnnx(model, [x], { inputNames: ['features'], outputNames: ['scores'] });
    const session = await ort.InferenceSession.create(file);
    expect([session.inputNames, session.outputNames]).toEqual([['features'], ['scores']]);
    expect(session.inputMetadata[0]).toMatchObject({ name: 'features', type: 'float32', shape: [3, 4] });
    const text = new TextDecoder('latin1').decode(file);
    for (const [name] of model.namedParameters()) expect(text).toContain(name);
    const two = new Fn((a: Tensor, factor: number, b: Tensor) => ({ sum: a.add(b), both: [a.mul(factor), b] }));
    const named = await ort.InferenceSession.create(exportOnnx(two, [x, 3, x]));
    expect(named.inputNames).toEqual(['input', 'input_1']);
    expect(named.outputNames).toEqual(['sum', 'both', 'both_1']);
    const fed = new ort.Tensor('float32', new Float32Array(12).fill(2), [3, 4]);
    const { both } = await named.run({ input: fed, input_1: fed });
    expect([...(both!.data as Float32Array)]).toEqual(new Array(12).fill(6));
  });

  it('leaves the model, its mode and the default device as they are', () => {
    const before = [...model.namedParameters()].map(([, p]) => [p, p.device, p.requiresGrad, p.toArray()]);
    exportOnnx(model, [x]);
    expect(() => exportOnnx(new Fn((t: Tensor) => t.item()), [x])).toThrow();
    expect([...model.namedParameters()].map(([, p]) => [p, p.device, p.requiresGrad, p.toArray()])).toEqual(before);
    expect([model.training, ones([1]).device, model(x).requiresGrad]).toEqual([true, 'cpu', true]);
  });

  it('holds each parameter once, and nothing that its outputs do not need', () => {
    const weights = [...model.parameters()].reduce((n, p) => n + 4 * p.numel, 0);
    const file = exportOnnx(model, [x]);
    expect(file.length).toBeLessThan(weights + 700);
    const tied = new nn.Linear(64, 64);
    const twice = new Fn((t: Tensor) => {
      tied(t).exp(); // for nothing
      return tied(tied(t));
    });
    (twice as any).tied = tied;
    expect(exportOnnx(twice, [randn([1, 64])]).length).toBeLessThan(4 * 65 * 64 + 700);
  });

  const refused: Record<string, [nn.Module, unknown[], RegExp]> = {
    'a value of the inputs': [
      new Fn((t: Tensor) => (t.sum().item() > 0 ? t : t.neg())),
      [x],
      /reads values that depend on its inputs \(item\)/,
    ],
    'random numbers': [new Fn((t: Tensor) => t.add(randn([4]))), [x], /draws random numbers/],
    'random numbers of a generator': [
      new Fn((t: Tensor) => t.sigmoid().bernoulli({ generator: new Generator(1) })),
      [x],
      /draws random numbers/,
    ],
    'a function that is not in ONNX': [
      new Fn((t: Tensor) => t.lgamma()),
      [x],
      /function 'lgamma' of the model cannot be exported/,
    ],
    'a kernel that is not in ONNX': [new Fn((t: Tensor) => t.narrow(1, 0, 3).det()), [randn([3, 4])], /kernel 'det'/],
    'a function that reads on the host': [
      new Fn((t: Tensor, offsets: Tensor) => nn.functional.embeddingBag(t, ones([4, 2]), { offsets })),
      [tensor([0, 1, 3], { dtype: 'int32' }), tensor([0, 2], { dtype: 'int32' })],
      /reads values that depend on its inputs/,
    ],
    'a result that is no tensor': [new Fn(() => 3), [x], /must return tensors/],
    'tensors of another device': [new Fn((t: Tensor) => t.add(elsewhere)), [x], /cpu/],
    'too many names': [model, [x], /got 2 inputNames for 1 tensors among the inputs/],
  };
  const elsewhere = ones([4]);
  it.each(Object.keys(refused))('refuses %s, and names it', (name) => {
    const [bad, inputs, message] = refused[name]!;
    const names = name === 'too many names' ? { inputNames: ['a', 'b'] } : {};
    expect(() => exportOnnx(bad, inputs, names)).toThrow(message);
  });

  it('refuses what are no modules, inputs or options', () => {
    expect(() => exportOnnx({} as never, [x])).toThrow(/takes a Module/);
    expect(() => exportOnnx(model, x as never)).toThrow(/inputs as an array/);
    expect(() => exportOnnx(model, [x], { names: ['a'] } as never)).toThrow(/names/);
    expect(() => exportOnnx(model, [x], { inputNames: 'a' } as never)).toThrow(/inputNames/);
    expect(() => exportOnnx(new Fn((a: Tensor) => a), [x, x], { inputNames: ['a', 'a'] })).toThrow(/name twice/);
  });

  it('refuses tensors of a graph that has been exported', () => {
    let kept: Tensor | null = null;
    exportOnnx(
      new Fn((t: Tensor) => {
        kept = t;
        return t.mul(2);
      }),
      [x],
    );
    expect(() => kept!.add(1)).toThrow(TensorError);
  });
});

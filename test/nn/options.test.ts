import * as core from '@gradgate/core';
import { ones, randn, zeros } from '@gradgate/core';
import * as nn from '@gradgate/nn';
import { functional as F, optim, Parameter } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const x = randn([2, 4]);
const image = randn([1, 2, 6, 6]);
const params = () => [new Parameter(zeros([2, 2]))];

/** JavaScript callers get no help from the compiler. */
const any = (value: unknown): never => value as never;

describe('an option that does not exist is refused, with the nearest name', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'sum',
      () => core.sum(x, 1, any({ keepDim: true })),
      /^sum: there is no option 'keepDim'; did you mean 'keepdim'\?/,
    ],
    [
      'std',
      () => core.std(x, 1, any({ unbaised: true })),
      /^std: there is no option 'unbaised'; did you mean 'unbiased'\?/,
    ],
    ['backward', () => x.sum().backward(any({ retain_graph: true })), /did you mean 'retainGraph'\?/],
    ['zeros', () => zeros([2], any({ requires_grad: true })), /^zeros: .* did you mean 'requiresGrad'\?/],
    ['conv2d', () => core.conv2d(image, ones([1, 2, 3, 3]), null, any({ strides: 2 })), /did you mean 'stride'\?/],
    ['F.pairwiseDistance', () => F.pairwiseDistance(x, x, any({ keepDim: true })), /did you mean 'keepdim'\?/],
    ['Loss', () => new nn.Loss({}, any([0])), /^Loss: the kinds of options must be .* got \[0\]/],
    ['MSELoss', () => new nn.MSELoss(any({ reduce: 'sum' })), /^MSELoss: .* did you mean 'reduction'\?/],
    [
      'CrossEntropyLoss',
      () => new nn.CrossEntropyLoss(any({ label_smoothing: 0.1 })),
      /did you mean 'labelSmoothing'\?/,
    ],
    ['MaxPool2d', () => new nn.MaxPool2d(2, any({ ceilmode: true })), /^MaxPool2d: there is no option 'ceilmode'/],
    ['maxPool2d', () => core.maxPool2d(image, 3, any({ ceilmode: true })), /^maxPool2d: there is no option 'ceilmode'/],
    ['Adam', () => new optim.Adam(params(), any({ learningRate: 1 })), /^Adam: .* did you mean 'lr'\?/],
    ['AdamW', () => new optim.AdamW(params(), any({ weight_decay: 1 })), /^AdamW: .* did you mean 'weightDecay'\?/],
    ['SGD', () => new optim.SGD(params(), any({ wd: 1 })), /^SGD: .* did you mean 'weightDecay'\?/],
    [
      'a group',
      () => new optim.SGD([any({ params: params(), momentun: 1 })], { lr: 1 }),
      /^SGD: .* did you mean 'momentum'\?/,
    ],
    ['LBFGS', () => new optim.LBFGS(params(), any({ maxIterations: 1 })), /^LBFGS: .* did you mean 'maxIter'\?/],
    ['LBFGS', () => new optim.LBFGS(params(), any({ max_iter: 1 })), /^LBFGS: .* did you mean 'maxIter'\?/],
    ['zeroGrad', () => x.zeroGrad(any({ set_to_none: true })), /^zeroGrad: there is no option/],
    ['Conv2d', () => new nn.Conv2d(1, 1, 3, any({ strides: 2 })), /^Conv2d: .* did you mean 'stride'\?/],
    [
      'ConvTranspose1d',
      () => new nn.ConvTranspose1d(1, 1, 3, any({ paddingMode: 'zeros' })),
      /^ConvTranspose1d: there/,
    ],
    ['BatchNorm2d', () => new nn.BatchNorm2d(2, any({ track_running_stats: false })), /^BatchNorm2d: .*'trackRunning/],
    ['LayerNorm', () => new nn.LayerNorm(2, any({ elementwise_affine: false })), /'elementwiseAffine'\?/],
    ['GRU', () => new nn.GRU(2, 2, any({ num_layers: 2 })), /^GRU: .* did you mean 'numLayers'\?/],
    ['RNN', () => new nn.RNN(2, 2, any({ nonlinearty: 'relu' })), /^RNN: .* did you mean 'nonlinearity'\?/],
    [
      'Embedding',
      () => new nn.Embedding(2, 2, any({ padding_idx: 0 })),
      /^Embedding: .*the only one is paddingIdx|'paddingIdx'/,
    ],
    ['Transformer', () => new nn.Transformer(any({ d_model: 4 })), /^Transformer: .* did you mean 'dModel'\?/],
    [
      'Transformer masks',
      () => new nn.TransformerEncoderLayer(4, 2)(x, any({ src_mask: x })),
      /TransformerEncoderLayer: there/,
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('an option given by its place is refused', () => {
  it.each<[string, () => unknown]>([
    ['sum', () => core.sum(x, 1, any(true))],
    ['dropout', () => core.dropout(x, any(0.3))],
    ['mseLoss', () => core.mseLoss(x, x, any('sum'))],
    ['layerNorm', () => core.layerNorm(x, [4], null, null, any(1e-5))],
    ['elu', () => core.elu(x, any(1))],
    ['MSELoss', () => new nn.MSELoss(any('sum'))],
    ['ELU', () => new nn.ELU(any(1))],
    ['MaxPool2d', () => new nn.MaxPool2d(3, any(2))],
    ['SGD', () => new optim.SGD(params(), any(0.1))],
    ['normal', () => core.normal(0, 1, any([2, 3]))],
    ['Conv2d', () => new nn.Conv2d(1, 1, 3, any(2))],
    ['Linear', () => new nn.Linear(2, 3, any(false))],
    ['LSTM', () => new nn.LSTM(2, 3, any(2))],
    ['LayerNorm', () => new nn.LayerNorm(4, any(1e-5))],
    ['Embedding', () => new nn.Embedding(4, 2, any(0))],
    ['TransformerEncoderLayer', () => new nn.TransformerEncoderLayer(4, 2, any(16))],
    ['Parameter', () => new Parameter(zeros([2]), any(false))],
    ['buffer', () => nn.buffer(zeros([2]), any(false))],
  ])('%s', (name, call) => {
    expect(call).toThrow(new RegExp(`^${name}: options must be an object, such as`));
  });

  it('and so is an argument too many of a layer', () => {
    expect(() => Reflect.construct(nn.ReLU, [true])).toThrow('ReLU: takes no arguments, got true');
    expect(() => Reflect.construct(nn.Softmax, [1, 2])).toThrow('Softmax: takes at most 1, got 1, 2');
  });
});

describe('an option of another kind is refused where it is given', () => {
  it.each<[string, () => unknown, string]>([
    ['lr', () => new optim.SGD(params(), { lr: any('0.1') }), "SGD: lr must be a number from 0 up, got '0.1'"],
    ['lr', () => new optim.SGD(params(), { lr: Number.NaN }), 'SGD: lr must be a number from 0 up, got NaN'],
    [
      'betas of SparseAdam',
      () => new optim.SparseAdam(params(), { betas: [0.9, 1] }),
      'SparseAdam: betas must be [a number from 0 to below 1, a number',
    ],
    [
      'betas',
      () => new optim.Adam(params(), { betas: any([0.9]) }),
      'Adam: betas must be [a number from 0 to below 1, a number',
    ],
    [
      'reduction',
      () => new nn.MSELoss({ reduction: any('avg') }),
      "MSELoss: reduction must be 'mean' or 'sum' or 'none', got 'avg'",
    ],
    ['keepdim', () => core.sum(x, 1, { keepdim: any('yes') }), "sum: keepdim must be true or false, got 'yes'"],
    ['dim', () => new nn.Softmax(any('x')), "Softmax: argument 1 must be a whole number, got 'x'"],
    ['limit', () => new nn.Threshold(any(undefined), 1), 'Threshold: argument 1 must be a number, got undefined'],
    [
      'weight',
      () => core.nllLoss(x, ones([2], { dtype: 'int32' }), { weight: any([1, 2]) }),
      'nllLoss: weight must be a Tensor',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

it('options that are undefined are as good as not given', () => {
  const { paramGroups } = new optim.Adam(params(), { lr: undefined, eps: 1e-3 });
  expect(paramGroups[0]).toMatchObject({ lr: 1e-3, eps: 1e-3, weightDecay: 0 });
  expect(new optim.AdamW(params()).paramGroups[0]!.weightDecay).toBe(0.01);
  expect(new optim.AdamW(params(), { weightDecay: 0 }).paramGroups[0]!.weightDecay).toBe(0);
});

describe('layers with parameters refuse what is no size when they are made, and what is no tensor when they are called', () => {
  it.each<[string, () => unknown]>([
    ['Linear: inFeatures must be a whole number from 0 up, got 2.5', () => new nn.Linear(2.5, 1)],
    ["Conv2d: outChannels must be a whole number above 0, got '4'", () => new nn.Conv2d(1, any('4'), 3)],
    ['Conv1d: kernelSize must be a whole number above 0, got [3, 3]', () => new nn.Conv1d(1, 1, any([3, 3]))],
    [
      'BatchNorm1d: numFeatures must be a whole number from 0 up, got undefined',
      () => new nn.BatchNorm1d(any(undefined)),
    ],
    ['LSTM: hiddenSize must be a whole number above 0, got 0', () => new nn.LSTM(2, 0)],
    ['LayerNorm: normalizedShape must be', () => new nn.LayerNorm(any('4'))],
    ['MultiheadAttention: numHeads must be a whole number above 0, got 0', () => new nn.MultiheadAttention(4, 0)],
    ['Parameter: expected a Tensor, got [1, 2]', () => new Parameter(any([1, 2]))],
    ['buffer: expected a Tensor, got undefined', () => nn.buffer(any(undefined))],
    ['LSTM: expected a Tensor, got undefined', () => new nn.LSTM(2, 2)(any(undefined))],
    ['LSTM: the state must be', () => new nn.LSTM(4, 2)(randn([3, 1, 4]), any(x))],
    ['GRUCell: expected a Tensor, got null', () => new nn.GRUCell(4, 2)(x, any(null))],
    ['BatchNorm1d: expected a Tensor', () => new nn.BatchNorm1d(2)(any('x'))],
    [
      'TransformerEncoder: expected a Tensor',
      () => new nn.TransformerEncoder(new nn.TransformerEncoderLayer(4, 1), 1)(any(1)),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(message);
  });
});

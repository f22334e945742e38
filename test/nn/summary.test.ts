import { backend, isGradEnabled, noGrad, ones, type Tensor } from '@gradgate/core';
import {
  BatchNorm1d,
  Conv2d,
  ConvTranspose2d,
  Linear,
  Module,
  MultiheadAttention,
  ReLU,
  Sequential,
  summary,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

class Twice extends Module {
  fc = new Linear(2, 2);
  override forward(x: Tensor): Tensor {
    return this.fc(this.fc(x));
  }
}

describe('summary', () => {
  class Net extends Module {
    body = new Sequential(new Linear(3, 4), new ReLU());
    head = new Linear(4, 2);
    override forward(x: Tensor): Tensor {
      return this.head(this.body(x));
    }
    @noGrad evaluate(x: Tensor): Tensor {
      return this.forward(x);
    }
    @noGrad(() => true) embed(x: Tensor): Tensor {
      return this.body(x);
    }
  }

  it('shows shapes, parameters, what is frozen, and the grad policies', () => {
    const net = new Net();
    net.body.requiresGrad_(false);
    const text = summary(net, ones([5, 3]));
    expect(text.split('\n').map((line) => line.replace(/ {2,}/g, ' | ').trim())).toEqual([
      'name | module | output | parameters | state | multiplications | gradients',
      '| Net | [5, 2] | evaluate: noGrad, embed: noGrad if its condition holds',
      'body | Sequential | [5, 4]',
      'body.0 | Linear | [5, 4] | 16 | frozen | 60',
      'body.1 | ReLU | [5, 4]',
      'head | Linear | [5, 2] | 10 | trainable | 40',
      '26 parameters, 10 trainable, 16 frozen',
      'memory: 104 B of parameters, 0 B of buffers, 200 B of outputs',
      '100 multiplications',
    ]);
  });

  it('leaves training, hooks and mode as they were, also when the model throws', () => {
    const net = new Net();
    net.body.eval();
    expect(() => summary(net, ones([5, 7]))).toThrow(/linear/);
    expect([net.training, net.body.training, isGradEnabled()]).toEqual([true, false, true]);
  });

  it.each<[string, Module, Tensor[], number]>([
    // Each of 6 x 6 places of each of 2 images: 8 outputs of 3 x 3 x 4 weights.
    ['a convolution', new Conv2d(4, 8, 3), [ones([2, 4, 8, 8])], 2 * 36 * 8 * 36],
    ['a convolution in groups', new Conv2d(4, 8, 3, { groups: 4 }), [ones([2, 4, 8, 8])], 2 * 36 * 8 * 9],
    // Each of 64 elements of 4 channels: 8 outputs of 2 x 2 weights.
    ['a transposed convolution', new ConvTranspose2d(4, 8, 2, { stride: 2 }), [ones([1, 4, 8, 8])], 64 * 4 * 8 * 4],
    // Four projections of 2 x 5 rows, the scores of each head and the mean of values by them.
    [
      'attention',
      new MultiheadAttention(8, 2),
      [ones([5, 2, 8]), ones([5, 2, 8]), ones([5, 2, 8])],
      4 * 10 * 64 + 2 * 4 * 25 * 4,
    ],
    ['a module that is called twice', new Twice(), [ones([3, 2])], 2 * 3 * 4],
  ])('counts the multiplications of %s', (_, module, inputs, expected) => {
    expect(
      summary(module, ...inputs)
        .split('\n')
        .at(-1),
    ).toBe(`${expected} multiplications`);
  });

  it('tells the memory of parameters, buffers and outputs of any dtype, and runs nothing without inputs', () => {
    const net = new Sequential(new Linear(1000, 500, { bias: false }), new BatchNorm1d(500)).double();
    // Two means and variances of float64, and a count of int64.
    expect(summary(net).split('\n').slice(-2)).toEqual([
      '501000 parameters, 501000 trainable, 0 frozen',
      'memory: 4.008 MB of parameters, 8.008 kB of buffers',
    ]);
    expect(summary(net, ones([2, 1000]).double())).toContain(
      '8.008 kB of buffers, 16 kB of outputs\n1000000 multiplications',
    );
  });

  it('leaves the kernels as they were, also when the model throws', () => {
    const before = backend('cpu').kernels;
    expect(() => summary(new Linear(2, 3), ones([5, 7]))).toThrow(/linear/);
    summary(new Linear(2, 3), ones([5, 2]));
    expect(backend('cpu').kernels).toBe(before);
  });
});

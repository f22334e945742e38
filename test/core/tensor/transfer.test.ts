import { ones, packTensor, tensor, unpackTensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';

describe('tensors through postMessage', () => {
  it('packed, a tensor keeps value and requiresGrad, and loses graph and gradient', () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    x.sum().backward();
    const packed = packTensor(x.t());
    const { port1, port2 } = new MessageChannel();
    port1.close();
    port2.close();
    const y = unpackTensor(structuredClone(packed, { transfer: [packed.data.buffer as ArrayBuffer] }));
    expect([y.toArray(), y.requiresGrad, y.isLeaf, y.grad]).toEqual([
      [
        [1, 3],
        [2, 4],
      ],
      true,
      true,
      null,
    ]);
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const i = unpackTensor(structuredClone(packTensor(ones([2], { dtype: 'int32' }))));
    expect([i.dtype, i.toArray()]).toEqual(['int32', [1, 1]]);
  });

  it('as it is, a tensor is refused with advice', () => {
    expect(() => structuredClone(ones([2]))).toThrow('tensorsAreSentByPackTensorAndUnpackTensor');
    expect(() => unpackTensor({} as never)).toThrow(/expected what packTensor\(\) gives/);
    expect(() => packTensor(3 as never)).toThrow(TypeError);
  });
});

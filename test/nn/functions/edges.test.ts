import { ones, randn, tensor, zeros } from '@gradgate/core';
import { functional as F } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { expectRefusal } from '../../core/refusals.js';

describe('what would broadcast, round or read nothing is refused by name', () => {
  const image = randn([3, 4, 4]);
  const wrong: Record<string, () => unknown> = {
    'interpolate of one image as if its height were channels': () =>
      F.interpolate(image, { size: 2, mode: 'bilinear' }),
    'interpolate of a volume by a mode of planes': () =>
      F.interpolate(randn([1, 1, 2, 2, 2]), { size: 2, mode: 'bicubic' }),
    'interpolate of a plane by a mode of lines': () => F.interpolate(randn([1, 1, 2, 2]), { size: 2, mode: 'linear' }),
    'interpolate of integers between them': () =>
      F.interpolate(ones([1, 1, 2, 2]).int(), { size: 3, mode: 'bilinear' }),
    'interpolate of nothing to something': () => F.interpolate(zeros([1, 1, 0]), { size: 3 }),
    'interpolate of nothing by areas': () => F.interpolate(zeros([1, 1, 0, 2]), { size: 3, mode: 'area' }),
    'affineGrid of integers': () => F.affineGrid(ones([1, 2, 3]).int(), [1, 1, 2, 2]),
    'bilinear with one bias for many outputs': () => F.bilinear(ones([2, 3]), ones([2, 4]), ones([5, 3, 4]), ones([1])),
    'prelu with weights for channels that there are not': () => F.prelu(ones([2, 1, 4]), ones([3])),
    'cosineEmbeddingLoss with a column of targets': () =>
      F.cosineEmbeddingLoss(ones([3, 2]), ones([3, 2]), ones([3, 1])),
  };
  it.each(Object.entries(wrong))('%s', (what, call) => expectRefusal(call, what.split(' ')[0]!, what));
});

it('the cosine of what broadcasts lies between -1 and 1', () => {
  const cos = F.cosineSimilarity(tensor([[2], [-3]]), tensor([[1, 1, 1, 1]]));
  expect(cos.toArray()).toEqual([expect.closeTo(1, 5), expect.closeTo(-1, 5)]);
});

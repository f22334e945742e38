import { type DType, DTypeError, randnLike, type Tensor, zeros } from '@gradgate/core';
import { isFloat } from '@gradgate/core/internal';
import { UserError } from './load.js';

/**
 * The tensor for `--input 1,3,224,224`: normal random numbers; or for `--input 2,16:int64`: zeros, valid as indices
 * anywhere.
 */
export function inputOf(text: string): Tensor {
  const [, sizes, dtype = 'float32'] = /^(\d+(?:,\d+)*)(?::(\w+))?$/.exec(text) ?? [];
  if (sizes === undefined)
    throw new UserError(
      `gradgate: --input must be a shape, and perhaps a dtype, such as 1,3,224,224 or 2,16:int64; got ${text}`,
    );
  try {
    const blank = zeros(sizes.split(',').map(Number), { dtype: dtype as DType });
    return isFloat(blank.dtype) ? randnLike(blank) : blank;
  } catch (error) {
    throw error instanceof DTypeError ? new UserError(`gradgate: --input ${text}: ${error.message}`) : error;
  }
}

import { type DType, DTypeError, randnLike, type Tensor, zeros } from '@gradgate/core';
import { isFloat } from '@gradgate/core/internal';
import { UserError } from './load.js';

/** What `--input 1,3,224,224` or `--input 2,16:int64` stands for: normal random numbers, or zeros, which are indices of anything. */
export function inputOf(text: string): Tensor {
  const [, sizes, dtype = 'float32'] = /^(\d+(?:,\d+)*)(?::(\w+))?$/.exec(text) ?? [];
  if (sizes === undefined)
    throw new UserError(
      `gradgate: --input is a shape, and perhaps a dtype, such as 1,3,224,224 or 2,16:int64; got ${text}`,
    );
  try {
    const blank = zeros(sizes.split(',').map(Number), { dtype: dtype as DType });
    return isFloat(blank.dtype) ? randnLike(blank) : blank;
  } catch (error) {
    throw error instanceof DTypeError ? new UserError(`gradgate: --input ${text}: ${error.message}`) : error;
  }
}

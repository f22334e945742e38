import type { Tensor } from '@gradgate/core';
import { Alias, check, checkOptions, checkTensors, is, outlive, pin } from '@gradgate/core/internal';

const parameterOptions = { requiresGrad: is.boolean };
const bufferOptions = { persistent: is.boolean };

/**
 * A tensor that a module learns: it requires grad unless told otherwise, whatever the grad mode it is made in, and is
 * registered by being a field of a module. Shares storage with `data`.
 *
 * ```ts
 * class Scale extends Module {
 *   factor = new Parameter(ones([1]));
 * }
 * [...new Scale().parameters()].length; // 1
 * ```
 */
export class Parameter extends Alias {
  /** To the compiler a plain tensor is no parameter. */
  declare private readonly isParameter: true;

  constructor(data: Tensor, options: { requiresGrad?: boolean } = {}) {
    checkTensors('Parameter', data);
    const { requiresGrad = true } = checkOptions('Parameter', options, parameterOptions);
    super(data);
    this.requiresGrad = requiresGrad;
    pin(this);
  }
}

/**
 * A tensor that belongs to a module's state but is not learned, such as a running mean: a field made by `buffer()`.
 *
 * ```ts
 * class Counter extends Module {
 *   calls = buffer(zeros([]));
 * }
 * Object.keys(new Counter().stateDict()); // ['calls']
 * ```
 */
export class Buffer extends Alias {
  /** To the compiler a plain tensor is no buffer. */
  declare private readonly isBuffer: true;

  constructor(
    data: Tensor,
    /** Whether `stateDict()` holds it. */
    readonly persistent = true,
  ) {
    checkTensors('Buffer', data);
    check('Buffer', 'persistent', persistent, is.boolean);
    super(data);
    outlive(data.storage);
  }
}

/**
 * Makes a tensor a buffer of the module whose field it becomes; `persistent: false` keeps it out of `stateDict()`.
 *
 * ```ts
 * class Cached extends Module {
 *   cache = buffer(zeros([8]), { persistent: false });
 * }
 * Object.keys(new Cached().stateDict()); // []
 * ```
 */
export function buffer(data: Tensor, options: { persistent?: boolean } = {}): Buffer {
  checkTensors('buffer', data);
  return new Buffer(data, checkOptions('buffer', options, bufferOptions).persistent);
}

/** No message is longer, whatever was passed: one of megabytes helps nobody. */
const longest = 2000;

/** Every refusal of bad input by a tensor operation: names the operator, what it saw, and the way out. */
export class TensorError extends Error {
  override name = 'TensorError';
  constructor(
    /** The operator or method that refused, in its public name. */
    readonly op: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${op}: ${message.length <= longest ? message : `${message.slice(0, longest)}…`}`, options);
  }
}

/** A shape, rank or dimension that does not fit. */
export class ShapeError extends TensorError {
  override name = 'ShapeError';
}

/** A dtype that the operator does not take. */
export class DTypeError extends TensorError {
  override name = 'DTypeError';
}

/** Tensors on devices that do not fit together, or a device that lacks what is asked of it. */
export class DeviceError extends TensorError {
  override name = 'DeviceError';
}

/** An index outside its dimension. */
export class IndexError extends TensorError {
  override name = 'IndexError';
}

/** A backward pass, or a write, that would give a wrong gradient. */
export class AutogradError extends TensorError {
  override name = 'AutogradError';
}

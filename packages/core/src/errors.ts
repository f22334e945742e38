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
    const text = typeof message === 'string' ? message : 'an error whose message is no text';
    super(
      `${typeof op === 'string' ? op : 'an operator'}: ${text.length <= longest ? text : `${text.slice(0, longest)}…`}`,
      options,
    );
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

/** The operator that was entered last: what all operators share refuses in its name. */
export const entered = { op: 'memory' };

/** The same error in the name of `op`: where an operator is made of others, their refusals are its own. */
export function inNameOf(op: string, error: unknown, more = ''): unknown {
  if (!(error instanceof TensorError || error instanceof TypeError || error instanceof RangeError)) return error;
  const { message, stack } = error;
  if (/^(Invalid typed array length|Array buffer allocation failed|Invalid array length)/.test(message))
    return new TensorError(op, 'this needs memory which cannot be had; use smaller tensors or batches', {
      cause: error,
    });
  const by = /^\w+(?=: )/.exec(message)?.[0];
  if (by === undefined || (by === op && !more)) return error;
  error.message = op + message.slice(by.length) + more;
  if (typeof stack === 'string') error.stack = stack.replace(message, () => error.message);
  if (error instanceof TensorError) (error as { op: string }).op = op;
  return error;
}

/** The operator `op`, which is made of others: what they refuse is refused in its name. `check` is given its first argument. */
export function named<F extends (...args: any[]) => unknown>(
  op: string,
  compute: F,
  check?: (op: string, first: unknown) => void,
): F {
  const operator = (...args: unknown[]) => {
    try {
      check?.(op, args[0]);
      return compute(...args);
    } catch (error) {
      throw inNameOf(op, error);
    }
  };
  Object.defineProperties(operator, { name: { value: op }, length: { value: compute.length } });
  return operator as F;
}

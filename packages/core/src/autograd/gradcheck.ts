// The entry point `@gradgate/core/gradcheck`, as PyTorch's `torch.autograd.gradcheck`.

import { check, checkOptions, show } from '../check.js';
import { AutogradError, DTypeError } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { elementsOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { grad } from './backward.js';

/** Options of `gradcheck` and `gradgradcheck`. */
export interface GradcheckOptions {
  /** The step of the finite differences. */
  eps?: number;
  /** The absolute difference that is allowed; 1e-5 by default. */
  atol?: number;
  /** The difference that is allowed for each unit of the value; 1e-3 by default. */
  rtol?: number;
}

type Fn = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

const outputsOf = (fn: Fn, inputs: readonly Tensor[]): Tensor[] => {
  const out = fn(...inputs);
  check('gradcheck', 'the result of fn', out, is.either(is.tensor, is.arrayOf(is.tensor)));
  return (Tensor.is(out) ? [out] : [...out]).filter((t) => t.dtype === 'float64');
};

/** Fixed weights, so that each output element counts differently. */
const weightsFor = ({ shape, numel, storage }: Tensor): Tensor =>
  Tensor.of(
    Float64Array.from({ length: numel }, (_, i) => Math.sin(i * 1.7 + 0.4) + 1.3),
    'float64',
    shape,
    storage.backend,
  );

// What is no tensor is handed on as it is.
const inputKinds = is.arrayOf(is.anything);
const gradcheckOptions = { eps: is.positive, atol: is.nonNegative, rtol: is.nonNegative };

/**
 * Compares the gradients of `fn`, weighted sums of its outputs, with central differences. Inputs are float64; those
 * that require grad are checked. Returns true, or throws an error that names input, element and both values.
 *
 * ```ts
 * gradcheck((x) => x.exp(), [tensor([1, 2], { dtype: 'float64', requiresGrad: true })]); // true
 * ```
 */
export function gradcheck(fn: Fn, inputs: readonly Tensor[], options?: GradcheckOptions): true {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = checkOptions('gradcheck', options, gradcheckOptions);
  check('gradcheck', 'fn', fn, is.callback);
  check('gradcheck', 'inputs', inputs, inputKinds);
  if (!isGradEnabled())
    throw new AutogradError(
      'gradcheck',
      'gradients are off here, so there is nothing to check; call it outside of noGrad',
    );
  const checked = inputs.filter((t) => Tensor.is(t) && t.requiresGrad);
  if (checked.length === 0)
    throw new AutogradError('gradcheck', `none of the inputs requires grad, got ${show(inputs)}`);
  for (const t of checked)
    if (t.dtype !== 'float64')
      throw new DTypeError(
        'gradcheck',
        `inputs must be float64, got ${t.dtype}; finite differences are too coarse in it`,
      );
  const total = (): Tensor =>
    outputsOf(fn, inputs)
      .map((t) => t.mul(weightsFor(t)).sum())
      .reduce((a, b) => a.add(b));
  if (outputsOf(fn, inputs).length === 0) throw new AutogradError('gradcheck', 'the function gives no float64 tensor');
  const loss = total();
  if (!loss.requiresGrad) throw new AutogradError('gradcheck', 'no output depends on an input that requires grad');
  const analytical = grad(loss, checked, { allowUnused: true, materializeGrads: true });
  checked.forEach((t, which) => {
    const got = elementsOf(analytical[which]!, 'gradcheck');
    if (!t.isContiguous) throw new AutogradError('gradcheck', 'inputs must be contiguous');
    const before = t.toTypedArray();
    const { storage, offset } = t;
    const totalWith = (value: number, i: number): number => {
      storage.backend.write(storage, Float64Array.of(value), offset + i);
      return total().item();
    };
    for (let i = 0; i < got.length; i++) {
      const numerical = (totalWith(before[i]! + eps, i) - totalWith(before[i]! - eps, i)) / (2 * eps);
      storage.backend.write(storage, Float64Array.of(before[i]!), offset + i);
      const error = Math.abs(got[i]! - numerical);
      if (!(error <= atol + rtol * Math.abs(numerical)))
        throw new AutogradError(
          'gradcheck',
          `input ${inputs.indexOf(t)} of shape [${t.shape.join(', ')}], element ${i}: the gradient is ${got[i]}, finite differences give ${numerical}`,
        );
    }
  });
  return true;
}

/**
 * `gradcheck` of second derivatives: of the gradients that a recorded backward pass computes. Returns true, or throws
 * with the difference.
 *
 * ```ts
 * gradgradcheck((x) => x.exp(), [tensor([1, 2], { dtype: 'float64', requiresGrad: true })]); // true
 * ```
 */
export function gradgradcheck(fn: Fn, inputs: readonly Tensor[], options?: GradcheckOptions): true {
  check('gradgradcheck', 'fn', fn, is.callback);
  check('gradgradcheck', 'inputs', inputs, inputKinds);
  return gradcheck(
    (...args) => {
      const checked = args.filter((t) => Tensor.is(t) && t.requiresGrad);
      const loss = outputsOf(fn, args)
        .map((t) => t.mul(weightsFor(t)).sum())
        .reduce((a, b) => a.add(b));
      const firsts = grad(loss, checked, { createGraph: true, allowUnused: true, materializeGrads: true });
      // The inputs themselves take part, so that rules that are linear in them have something to differentiate.
      return firsts.map((g, i) => g.add(checked[i]!.mul(0)));
    },
    inputs,
    options,
  );
}

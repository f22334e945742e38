import { backend, DeviceError, noGrad, stack, type Tensor, zeros } from '@gradgate/core';
import { asAction, check, checkOptions, checkTensors, heldGrad, is } from '@gradgate/core/internal';
import { listOf } from '../listOf.js';

/** The parameters that have a gradient. */
const withGrad = (op: string, parameters: Tensor | Iterable<Tensor>): Tensor[] =>
  tensorsOf(op, 'parameters', parameters).filter((p) => heldGrad(p) !== null);

/** The tensors of an argument: one, or several. */
function tensorsOf(op: string, what: string, tensors: Tensor | Iterable<Tensor>): Tensor[] {
  check(op, what, tensors, is.either(is.tensor, is.iterable));
  const list = is.tensor.is(tensors) ? [tensors as Tensor] : listOf(op, what, tensors as Iterable<Tensor>);
  checkTensors(op, ...list);
  return list;
}

interface ClipOptions {
  /** The power of the norm; 2 by default, and `Infinity` for the largest element. */
  normType?: number;
  /** Whether a norm that is NaN or infinite throws, rather than spreads; false by default. */
  errorIfNonfinite?: boolean;
}

const clipOptions = { normType: is.number, errorIfNonfinite: is.boolean };

/** The checked arguments of a call. */
interface Clip extends Required<ClipOptions> {
  readonly op: string;
  readonly list: readonly Tensor[];
  readonly maxNorm: number;
}

function checkClip(
  op: string,
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: ClipOptions | undefined,
): Clip {
  const { normType = 2, errorIfNonfinite = false } = checkOptions(op, options, clipOptions);
  check(op, 'maxNorm', maxNorm, is.nonNegative);
  return { op, list: withGrad(op, parameters), maxNorm, normType, errorIfNonfinite };
}

function checkNorm({ op, errorIfNonfinite }: Clip, norm: number): void {
  if (errorIfNonfinite && !Number.isFinite(norm)) throw new RangeError(`${op}: the norm of the gradients is ${norm}`);
}

/**
 * Scales the gradients of all parameters together, so that their joint `normType`-norm, 2 by default, is at most
 * `maxNorm`; returns the norm before. With `errorIfNonfinite` a norm that is NaN or infinite throws, and nothing is
 * scaled. Call it between `backward()` and `step()`. Throws for gradients on devices that can only be read
 * asynchronously.
 *
 * ```ts
 * const w = tensor([3, 4], { requiresGrad: true });
 * w.square().sum().div(2).backward();
 * optim.clipGradNorm_([w], 1); // 5
 * w.grad; // [0.6, 0.8]
 * ```
 */
export function clipGradNorm_(parameters: Tensor | Iterable<Tensor>, maxNorm: number, options?: ClipOptions): number {
  const clip = checkClip('clipGradNorm_', parameters, maxNorm, options);
  const away = clip.list.find(({ device }) => backend(device).isAsync);
  if (away !== undefined)
    throw new DeviceError(
      clip.op,
      `gradients on ${away.device} can only be read asynchronously; use await optim.clipGradNormAsync_(...), or optim.getTotalNorm() and clipGradsWithNorm_() where nothing is awaited`,
    );
  return scaleToNorm(clip);
}

function scaleToNorm(clip: Clip): number {
  const { list, maxNorm, normType } = clip;
  // An action, which a compiled function runs at each call: the scale depends on the values.
  return asAction(() => {
    const norms = list.map((p) => heldGrad(p)!.detach().double().norm(normType).item());
    const total =
      normType === Number.POSITIVE_INFINITY
        ? norms.reduce((a, b) => Math.max(a, b), 0)
        : norms.reduce((a, b) => a + b ** normType, 0) ** (1 / normType);
    checkNorm(clip, total);
    const scale = maxNorm / (total + 1e-6);
    if (!(scale >= 1)) noGrad.run(() => list.forEach((p) => void heldGrad(p)!.mul_(scale)));
    return total;
  });
}

/**
 * `clipGradNorm_` for every device. On devices that can only be read asynchronously, it scales before the norm has
 * arrived, unless `errorIfNonfinite` is set, and computes the norm in float32.
 *
 * ```ts
 * const w = tensor([3, 4], { requiresGrad: true });
 * w.square().sum().div(2).backward();
 * await optim.clipGradNormAsync_([w], 1); // 5
 * ```
 */
export async function clipGradNormAsync_(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options?: ClipOptions,
): Promise<number> {
  const clip = checkClip('clipGradNormAsync_', parameters, maxNorm, options);
  const { list, normType } = clip;
  if (list.every((p) => p.device === 'cpu')) return scaleToNorm(clip);
  const total = getTotalNorm(
    list.map((p) => heldGrad(p)!),
    { normType },
  );
  const read = total.itemAsync();
  if (clip.errorIfNonfinite) checkNorm(clip, await read);
  clipGradsWithNorm_(list, maxNorm, total);
  return read;
}

/**
 * The joint `normType`-norm, 2 by default, of all elements of tensors on one device, such as gradients: a tensor of no
 * dimension on that device, float32, or float64 if one of them is. It reads no values, so it works on all devices and
 * in compiled functions.
 *
 * ```ts
 * optim.getTotalNorm([tensor([3]), tensor([4])]); // 5
 * ```
 */
export function getTotalNorm(tensors: Tensor | Iterable<Tensor>, options?: { normType?: number }): Tensor {
  const { normType = 2 } = checkOptions('getTotalNorm', options, { normType: is.number });
  const list = tensorsOf('getTotalNorm', 'tensors', tensors);
  if (list.length === 0) return zeros([]);
  const dtype = list.some((t) => t.dtype === 'float64') ? 'float64' : 'float32';
  return noGrad.run(() => stack(list.map((t) => t.detach().to(dtype).norm(normType))).norm(normType));
}

/**
 * Scales the gradients of all parameters by `maxNorm / totalNorm` if that is below 1, where `totalNorm` is what
 * `getTotalNorm` gives of them. `clipGradNorm_` in two parts, for devices that can only be read asynchronously and
 * nothing is awaited, as in a compiled step.
 *
 * ```ts
 * const w = tensor([3, 4], { requiresGrad: true });
 * w.square().sum().div(2).backward();
 * optim.clipGradsWithNorm_([w], 1, optim.getTotalNorm([w.grad!]));
 * w.grad; // [0.6, 0.8]
 * ```
 */
export function clipGradsWithNorm_(parameters: Tensor | Iterable<Tensor>, maxNorm: number, totalNorm: Tensor): void {
  check('clipGradsWithNorm_', 'maxNorm', maxNorm, is.nonNegative);
  const list = withGrad('clipGradsWithNorm_', parameters);
  checkTensors('clipGradsWithNorm_', totalNorm);
  noGrad.run(() => {
    const scale = totalNorm.add(1e-6).reciprocal().mul(maxNorm).clamp(null, 1);
    for (const p of list) heldGrad(p)!.mul_(scale);
  });
}

/**
 * Clamps each element of the gradients to ±`clipValue`. Call it between `backward()` and `step()`.
 *
 * ```ts
 * const w = tensor([3, 4], { requiresGrad: true });
 * w.square().sum().backward();
 * optim.clipGradValue_([w], 7);
 * w.grad; // [6, 7]
 * ```
 */
export function clipGradValue_(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  check('clipGradValue_', 'clipValue', clipValue, is.nonNegative);
  const list = withGrad('clipGradValue_', parameters);
  noGrad.run(() => {
    for (const p of list) heldGrad(p)!.clamp_(-clipValue, clipValue);
  });
}

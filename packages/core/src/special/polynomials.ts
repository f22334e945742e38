import { check } from '../check.js';
import { named } from '../errors.js';
import type { Kind } from '../kinds.js';
import { toFloat } from '../memory/dtype.js';
import { to } from '../ops/copy.js';
import { realOnly } from '../ops/define.js';
import { add, div, mul, sub } from '../ops/elementwise.js';
import { checkTensors } from '../tensor/check.js';
import { onesLike } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

// Orthogonal polynomials by their recurrences, made of recorded operators: they have gradients and run on every device.

type Polynomial = (x: Tensor, n: number) => Tensor;

/** Each degree is a step that is recorded: higher degrees would fill the memory. */
const degree: Kind = { text: 'a whole number from 0 to 65536', is: (n) => is.size.is(n) && (n as number) <= 65536 };

/**
 * The polynomial of degree `n`, from that of degree 1 and a function that gives the next one after degrees `k` and
 * `k - 1`.
 */
function polynomial(
  name: string,
  first: (x: Tensor) => Tensor,
  next: (x: Tensor, here: Tensor, before: Tensor, k: number) => Tensor,
): Polynomial {
  return named(name, (x: Tensor, n: number): Tensor => {
    checkTensors(name, x);
    realOnly(name, x);
    check(name, 'n', n, degree);
    const t = to(x, toFloat(x.dtype));
    let [before, here] = [onesLike(t), first(t)];
    if (n === 0) return before;
    for (let k = 1; k < n; k++) [before, here] = [here, next(t, here, before, k)];
    return here;
  });
}

const twice = (x: Tensor, here: Tensor, before: Tensor): Tensor => sub(mul(mul(x, 2), here), before);
/** The same of `2 x - 1`, which moves the interval [0, 1] to [-1, 1]. */
const shifted = (name: string, of: Polynomial): Polynomial =>
  named(name, (x, n) => {
    checkTensors(name, x);
    return of(sub(mul(x, 2), 1), n);
  });

/**
 * The Chebyshev polynomial of the first kind of degree `n` (an integer from 0), elementwise.
 *
 * ```ts
 * chebyshevPolynomialT(tensor([0.5]), 2); // [-0.5]
 * ```
 */
export const chebyshevPolynomialT = polynomial('chebyshevPolynomialT', (x) => mul(x, 1), twice);

/**
 * The Chebyshev polynomial of the second kind of degree `n` (an integer from 0), elementwise.
 *
 * ```ts
 * chebyshevPolynomialU(tensor([0.5]), 2); // [0]
 * ```
 */
export const chebyshevPolynomialU = polynomial('chebyshevPolynomialU', (x) => mul(x, 2), twice);

/**
 * The Chebyshev polynomial of the third kind of degree `n` (an integer from 0), elementwise.
 *
 * ```ts
 * chebyshevPolynomialV(tensor([0.5]), 2); // [-1]
 * ```
 */
export const chebyshevPolynomialV = polynomial('chebyshevPolynomialV', (x) => sub(mul(x, 2), 1), twice);

/**
 * The Chebyshev polynomial of the fourth kind of degree `n` (an integer from 0), elementwise.
 *
 * ```ts
 * chebyshevPolynomialW(tensor([0.5]), 2); // [1]
 * ```
 */
export const chebyshevPolynomialW = polynomial('chebyshevPolynomialW', (x) => add(mul(x, 2), 1), twice);

/**
 * The physicists' Hermite polynomial of degree `n` (an integer from 0), elementwise.
 *
 * ```ts
 * hermitePolynomialH(tensor([0.5]), 2); // [-1]
 * ```
 */
export const hermitePolynomialH = polynomial(
  'hermitePolynomialH',
  (x) => mul(x, 2),
  (x, here, before, k) => sub(mul(mul(x, 2), here), mul(before, 2 * k)),
);

/**
 * The probabilists' Hermite polynomial of degree `n` (an integer from 0), elementwise.
 *
 * ```ts
 * hermitePolynomialHe(tensor([0.5]), 2); // [-0.75]
 * ```
 */
export const hermitePolynomialHe = polynomial(
  'hermitePolynomialHe',
  (x) => mul(x, 1),
  (x, here, before, k) => sub(mul(x, here), mul(before, k)),
);

/**
 * The Laguerre polynomial of degree `n` (an integer from 0), elementwise.
 *
 * ```ts
 * laguerrePolynomialL(tensor([0.5]), 2); // [0.125]
 * ```
 */
export const laguerrePolynomialL = polynomial(
  'laguerrePolynomialL',
  (x) => sub(1, x),
  (x, here, before, k) => div(sub(mul(sub(2 * k + 1, x), here), mul(before, k)), k + 1),
);

/**
 * The Legendre polynomial of degree `n` (an integer from 0), elementwise.
 *
 * ```ts
 * legendrePolynomialP(tensor([0.5]), 2); // [-0.125]
 * ```
 */
export const legendrePolynomialP = polynomial(
  'legendrePolynomialP',
  (x) => mul(x, 1),
  (x, here, before, k) => div(sub(mul(mul(x, 2 * k + 1), here), mul(before, k)), k + 1),
);

/**
 * The shifted Chebyshev polynomial of the first kind of degree `n`: `chebyshevPolynomialT` of `2 x - 1`.
 *
 * ```ts
 * shiftedChebyshevPolynomialT(tensor([0.75]), 2); // [-0.5]
 * ```
 */
export const shiftedChebyshevPolynomialT = shifted('shiftedChebyshevPolynomialT', chebyshevPolynomialT);

/**
 * The shifted Chebyshev polynomial of the second kind of degree `n`: `chebyshevPolynomialU` of `2 x - 1`.
 *
 * ```ts
 * shiftedChebyshevPolynomialU(tensor([0.75]), 2); // [0]
 * ```
 */
export const shiftedChebyshevPolynomialU = shifted('shiftedChebyshevPolynomialU', chebyshevPolynomialU);

/**
 * The shifted Chebyshev polynomial of the third kind of degree `n`: `chebyshevPolynomialV` of `2 x - 1`.
 *
 * ```ts
 * shiftedChebyshevPolynomialV(tensor([0.75]), 2); // [-1]
 * ```
 */
export const shiftedChebyshevPolynomialV = shifted('shiftedChebyshevPolynomialV', chebyshevPolynomialV);

/**
 * The shifted Chebyshev polynomial of the fourth kind of degree `n`: `chebyshevPolynomialW` of `2 x - 1`.
 *
 * ```ts
 * shiftedChebyshevPolynomialW(tensor([0.75]), 2); // [1]
 * ```
 */
export const shiftedChebyshevPolynomialW = shifted('shiftedChebyshevPolynomialW', chebyshevPolynomialW);

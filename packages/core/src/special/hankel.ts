/** From here on the asymptotic series are exact to all digits: their smallest term is about `exp(-2x)`. */
export const far = 25;

/**
 * The even and the odd terms of Hankel's expansion of the Bessel functions of `order` far from 0 (Abramowitz and
 * Stegun, 9.2.9 and 9.7.1), with alternating signs within each (`sign` -1), or none (1) for the modified ones.
 */
export function hankel(order: number, x: number, sign: 1 | -1): { even: number; odd: number } {
  const mu = 4 * order * order;
  let term = 1;
  let [even, odd] = [1, 0];
  for (let k = 1; k < 40 && Math.abs(term) > 1e-17; k++) {
    term *= (mu - (2 * k - 1) ** 2) / (8 * k * x);
    if (k % 2 === 1) odd += term;
    else {
      // Two terms make one sign.
      term *= sign;
      even += term;
    }
  }
  return { even, odd };
}

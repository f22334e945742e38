// Steps of optimizers over float32 parameters, four at a time.
import { madd } from './fma';

/**
 * One step of Adam for `n` elements: weights, their gradients, and the running means of the gradient and of its square,
 * which are written too. `keep` scales the weights first, `penalty` adds so much of them to the gradient, whose `sign`
 * may turn; `rate` and `correction` hold the corrections for the number of steps.
 */
export function adam(
  w: usize, g: usize, m: usize, v: usize, n: usize,
  keep: f32, penalty: f32, sign: f32, beta1: f32, beta2: f32, rate: f32, correction: f32, eps: f32,
): void {
  const k = f32x4.splat(keep), p = f32x4.splat(penalty), s = f32x4.splat(sign);
  const b1 = f32x4.splat(beta1), a1 = f32x4.splat(1 - beta1), b2 = f32x4.splat(beta2), a2 = f32x4.splat(1 - beta2);
  const r = f32x4.splat(rate), c = f32x4.splat(correction), e = f32x4.splat(eps);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const x = f32x4.mul(v128.load(w + i), k);
    const d = madd(p, x, f32x4.mul(v128.load(g + i), s));
    const mean = madd(b1, v128.load(m + i), f32x4.mul(a1, d));
    const square = madd(b2, v128.load(v + i), f32x4.mul(a2, f32x4.mul(d, d)));
    v128.store(m + i, mean);
    v128.store(v + i, square);
    const step = f32x4.div(f32x4.mul(r, mean), madd(f32x4.sqrt(square), c, e));
    v128.store(w + i, f32x4.sub(x, step));
  }
}

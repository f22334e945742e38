// Steps of optimizers over float32 parameters, four at a time.
import { madd } from './fma';

/** The gradient, turned by `sign`, and `penalty` of the weights; without one an infinite weight is no NaN. */
// @ts-ignore: decorator
@inline
function directed(g: v128, sign: v128, w: v128, penalty: v128): v128 {
  return madd(penalty, v128.and(w, f32x4.ne(penalty, f32x4.splat(0))), f32x4.mul(g, sign));
}

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
    const d = directed(v128.load(g + i), s, x, p);
    const mean = madd(b1, v128.load(m + i), f32x4.mul(a1, d));
    const square = madd(b2, v128.load(v + i), f32x4.mul(a2, f32x4.mul(d, d)));
    v128.store(m + i, mean);
    v128.store(v + i, square);
    const step = f32x4.div(f32x4.mul(r, mean), madd(f32x4.sqrt(square), c, e));
    v128.store(w + i, f32x4.sub(x, step));
  }
}

/** Adam that divides by the largest mean square so far, `top`. */
export function amsgrad(
  w: usize, g: usize, m: usize, v: usize, top: usize, n: usize,
  keep: f32, penalty: f32, sign: f32, beta1: f32, beta2: f32, rate: f32, correction: f32, eps: f32,
): void {
  const k = f32x4.splat(keep), p = f32x4.splat(penalty), s = f32x4.splat(sign);
  const b1 = f32x4.splat(beta1), a1 = f32x4.splat(1 - beta1), b2 = f32x4.splat(beta2), a2 = f32x4.splat(1 - beta2);
  const r = f32x4.splat(rate), c = f32x4.splat(correction), e = f32x4.splat(eps);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const x = f32x4.mul(v128.load(w + i), k);
    const d = directed(v128.load(g + i), s, x, p);
    const mean = madd(b1, v128.load(m + i), f32x4.mul(a1, d));
    const square = madd(b2, v128.load(v + i), f32x4.mul(a2, f32x4.mul(d, d)));
    const largest = f32x4.pmax(v128.load(top + i), square);
    v128.store(m + i, mean);
    v128.store(v + i, square);
    v128.store(top + i, largest);
    const step = f32x4.div(f32x4.mul(r, mean), madd(f32x4.sqrt(largest), c, e));
    v128.store(w + i, f32x4.sub(x, step));
  }
}

/** w - rate d, where d is the gradient and `penalty` of the weights. */
export function sgd(w: usize, g: usize, n: usize, sign: f32, penalty: f32, rate: f32): void {
  const s = f32x4.splat(sign), p = f32x4.splat(penalty), r = f32x4.splat(rate);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const x = v128.load(w + i);
    const d = directed(v128.load(g + i), s, x, p);
    v128.store(w + i, f32x4.sub(x, f32x4.mul(r, d)));
  }
}

/** w - rate (ofGradient d + ofBuffer b), where the buffer b becomes momentum b + share d. */
export function momentum(
  w: usize, g: usize, b: usize, n: usize,
  sign: f32, penalty: f32, rate: f32, momentum: f32, share: f32, ofGradient: f32, ofBuffer: f32,
): void {
  const s = f32x4.splat(sign), p = f32x4.splat(penalty), r = f32x4.splat(rate);
  const m = f32x4.splat(momentum), h = f32x4.splat(share), og = f32x4.splat(ofGradient), ob = f32x4.splat(ofBuffer);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const x = v128.load(w + i);
    const d = directed(v128.load(g + i), s, x, p);
    const buffer = madd(m, v128.load(b + i), f32x4.mul(h, d));
    v128.store(b + i, buffer);
    v128.store(w + i, f32x4.sub(x, f32x4.mul(r, madd(og, v128.and(d, f32x4.ne(og, f32x4.splat(0))), f32x4.mul(ob, buffer)))));
  }
}

/** w - rate d / (sqrt(v) + eps), where v is the running mean of d². */
export function rmsprop(w: usize, g: usize, v: usize, n: usize, sign: f32, penalty: f32, rate: f32, alpha: f32, eps: f32): void {
  const s = f32x4.splat(sign), p = f32x4.splat(penalty), r = f32x4.splat(rate);
  const a = f32x4.splat(alpha), h = f32x4.splat(1 - alpha), e = f32x4.splat(eps);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const x = v128.load(w + i);
    const d = directed(v128.load(g + i), s, x, p);
    const square = madd(a, v128.load(v + i), f32x4.mul(h, f32x4.mul(d, d)));
    v128.store(v + i, square);
    v128.store(w + i, f32x4.sub(x, f32x4.div(f32x4.mul(r, d), f32x4.add(f32x4.sqrt(square), e))));
  }
}

/** w - rate d / (sqrt(v) + eps), where v is the sum of d². */
export function adagrad(w: usize, g: usize, v: usize, n: usize, sign: f32, penalty: f32, rate: f32, eps: f32): void {
  const s = f32x4.splat(sign), p = f32x4.splat(penalty), r = f32x4.splat(rate), e = f32x4.splat(eps);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const x = v128.load(w + i);
    const d = directed(v128.load(g + i), s, x, p);
    const square = madd(d, d, v128.load(v + i));
    v128.store(v + i, square);
    v128.store(w + i, f32x4.sub(x, f32x4.div(f32x4.mul(r, d), f32x4.add(f32x4.sqrt(square), e))));
  }
}

/** keep w - rate sign(beta1 m + (1 - beta1) d), where m is the running mean of d by beta2. */
export function lion(w: usize, g: usize, m: usize, n: usize, sign: f32, keep: f32, rate: f32, beta1: f32, beta2: f32): void {
  const s = f32x4.splat(sign), k = f32x4.splat(keep), r = f32x4.splat(rate), zero = f32x4.splat(0);
  const b1 = f32x4.splat(beta1), a1 = f32x4.splat(1 - beta1), b2 = f32x4.splat(beta2), a2 = f32x4.splat(1 - beta2);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const d = f32x4.mul(v128.load(g + i), s), mean = v128.load(m + i);
    const c = madd(b1, mean, f32x4.mul(a1, d));
    const step = f32x4.sub(v128.and(f32x4.gt(c, zero), r), v128.and(f32x4.lt(c, zero), r));
    // Where the direction is NaN the weights become NaN.
    const odd = v128.and(f32x4.ne(c, c), c);
    v128.store(w + i, f32x4.sub(f32x4.mul(v128.load(w + i), k), f32x4.add(step, odd)));
    v128.store(m + i, madd(b2, mean, f32x4.mul(a2, d)));
  }
}

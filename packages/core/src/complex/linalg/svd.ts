import type { MatrixRule } from '../../backend/kernels.js';
import { ofFinite, rotate } from '../../linalg/rules/reflector.js';
import { maxSweeps, svdOfTall, type Vectors } from '../../linalg/rules/svd.js';
import { applyReflections, reflections } from './qr.js';
import { transposed } from './reflector.js';

/** `xᴴ y` of rows of `count` numbers. */
function dot(x: Float64Array, p: number, q: number, count: number): [re: number, im: number] {
  let [re, im] = [0, 0];
  for (let k = 0; k < 2 * count; k += 2) {
    const [a, b, c, d] = [x[p + k]!, x[p + k + 1]!, x[q + k]!, x[q + k + 1]!];
    re += a * c + b * d;
    im += a * d - b * c;
  }
  return [re, im];
}

/** Multiplies a row of `count` numbers by one. */
function scaleRow(x: Float64Array, p: number, count: number, re: number, im: number): void {
  for (let k = p; k < p + 2 * count; k += 2) {
    const [a, b] = [x[k]!, x[k + 1]!];
    x[k] = a * re - b * im;
    x[k + 1] = a * im + b * re;
  }
}

/** Turns the rows of `x` `[n, n]` until they are orthogonal, and those of `turns` with them (one-sided Jacobi). */
function orthogonalize(x: Float64Array, n: number, turns: Float64Array): void {
  for (let sweep = 0, turned = true; turned && sweep < maxSweeps; sweep++) {
    turned = false;
    for (let i = 0; i < n - 1; i++)
      for (let j = i + 1; j < n; j++) {
        const [p, q] = [2 * i * n, 2 * j * n];
        const [pp] = dot(x, p, p, n);
        const [qq] = dot(x, q, q, n);
        const [re, im] = dot(x, p, q, n);
        const size = Math.hypot(re, im);
        if (size <= 4 * Number.EPSILON * Math.sqrt(pp) * Math.sqrt(qq)) continue;
        turned = true;
        const zeta = (qq - pp) / (2 * size);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        for (const y of [x, turns]) {
          // Then the product of both rows is real, and they turn as real ones do.
          scaleRow(y, q, n, re / size, -im / size);
          rotate(y, p, q, 2 * n, c, -c * t);
        }
      }
  }
}

const complex: Vectors<ReturnType<typeof reflections>> = { parts: 2, reflections, applyReflections, orthogonalize };

/**
 * Given `a` `[m, n]`: the left singular vectors `U` `[m, p]`, the singular values in descending order, and the right vectors
 * `Vh` `[q, n]`; p and q are `min(m, n)`, or m and n for all vectors.
 */
export const svd: MatrixRule['loop'] = ofFinite(([a], [u, s, vh], [m, n]) => {
  // Vectors are rows: those of U and the conjugates of Vh for a tall matrix, which Aᴴ is if A is wide.
  const wide = m! < n!;
  const [left, right] = [new Float64Array((wide ? vh! : u!).length), new Float64Array((wide ? u! : vh!).length)];
  if (wide)
    svdOfTall(
      complex,
      a!.map((v, i) => (i % 2 === 1 ? -v : v)),
      n!,
      m!,
      left,
      s!,
      right,
    );
  else svdOfTall(complex, transposed(a!, m!, n!), m!, n!, left, s!, right);
  const [ofU, ofV] = wide ? [right, left] : [left, right];
  u!.set(transposed(ofU, m === 0 ? 0 : ofU.length / 2 / m!, m!));
  vh!.set(ofV.map((v, i) => (i % 2 === 1 ? -v : v)));
});

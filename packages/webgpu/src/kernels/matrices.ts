import { DeviceError, type Kernels, type View } from '@gradgate/core';
import { sizeOf } from '@gradgate/core/internal';
import { groupsFor } from '../gpu.js';
import { withScratch } from '../scratch.js';
import { blockOf, gpuOf } from '../storage.js';
import { wordOf } from '../words.js';
import { type Decomposition, eliminate, identity } from './decomposition.js';
import { eigh, svd } from './jacobi.js';
import { ldl, ldlSolve } from './ldl.js';
import { mapKernels } from './map.js';

// One thread for each matrix, suited to many small ones.

/** Computes the Householder reflection of column `k` to `[beta, 0, ...]` and its `tau`, as core does. */
const reflector = `var rest = 0.0;
  for (var r = k + 1u; r < u.m; r++) { rest = max(rest, abs(w[at_w + r * u.n + k])); }
  var tau = 0.0;
  if (rest > 0.0) {
    let alpha = w[at_w + k * u.n + k];
    let scale = max(rest, abs(alpha));
    var sum = 0.0;
    for (var r = k; r < u.m; r++) { let v = w[at_w + r * u.n + k] / scale; sum += v * v; }
    let size = scale * sqrt(sum);
    let beta = select(-size, size, is_negative(alpha));
    for (var r = k + 1u; r < u.m; r++) { w[at_w + r * u.n + k] /= alpha - beta; }
    w[at_w + k * u.n + k] = beta;
    tau = (beta - alpha) / beta;
  }`;

/** Applies the reflection to column `c` of a matrix of `width` columns. */
const reflect = (name: string, width: string): string => `var dot = ${name}[at_${name} + k * ${width} + c];
    for (var r = k + 1u; r < u.m; r++) { dot += w[at_w + r * u.n + k] * ${name}[at_${name} + r * ${width} + c]; }
    dot *= tau;
    ${name}[at_${name} + k * ${width} + c] -= dot;
    for (var r = k + 1u; r < u.m; r++) { ${name}[at_${name} + r * ${width} + c] -= dot * w[at_w + r * u.n + k]; }`;

/** `to = left @ right` for `[n, n]`. */
const product = (to: string, left: string, right: string): string => `for (var r = 0u; r < u.n; r++) {
    for (var c = 0u; c < u.n; c++) {
      var sum = 0.0;
      for (var k = 0u; k < u.n; k++) { sum += ${left}[at_${left} + r * u.n + k] * ${right}[at_${right} + k * u.n + c]; }
      ${to}[at_${to} + r * u.n + c] = sum;
    }
  }`;

/** By the names of the rules of core/linalg; a test runs each of them on the device and on the host. */
const decompositions: Readonly<Record<string, Decomposition>> = {
  solveTriangular: {
    inputs: ['t', 'b'],
    outs: ['x'],
    numbers: ['n', 'k', 'upper', 'ones'],
    isOfFinite: false,
    body: `for (var step = 0u; step < u.n; step++) {
  let r = select(step, u.n - 1u - step, u.upper == 1u);
  let first = select(0u, r + 1u, u.upper == 1u);
  let end = select(r, u.n, u.upper == 1u);
  for (var c = 0u; c < u.k; c++) {
    var v = b[at_b + r * u.k + c];
    for (var j = first; j < end; j++) { v -= t[at_t + r * u.n + j] * x[at_x + j * u.k + c]; }
    if (u.ones != 1u) { v = divided(v, t[at_t + r * u.n + r]); }
    x[at_x + r * u.k + c] = v;
  }
}`,
  },
  lu: {
    inputs: ['a'],
    outs: ['lu', 'pivots'],
    numbers: ['m', 'n'],
    isOfFinite: true,
    body: `for (var e = 0u; e < u.m * u.n; e++) { lu[at_lu + e] = a[at_a + e]; }
${eliminate({ rows: 'u.m', chosen: 'pivots[at_pivots + d] = f32(q + 1u);' })}`,
  },
  permutation: {
    inputs: ['a', 'pivots'],
    outs: ['p'],
    numbers: ['m'],
    scratch: ([m]) => ({ rows: m! }),
    isOfFinite: false,
    body: `for (var r = 0u; r < u.m; r++) { rows[at_rows + r] = f32(r); }
for (var r = 0u; r < u.pivots_n; r++) {
  // Pivots out of range are clamped, as the device cannot report them.
  let q = u32(clamp(i32(pivots[at_pivots + r]), 1, i32(u.m))) - 1u;
  let kept = rows[at_rows + r];
  rows[at_rows + r] = rows[at_rows + q];
  rows[at_rows + q] = kept;
}
for (var e = 0u; e < u.m * u.m; e++) { p[at_p + e] = 0.0; }
for (var r = 0u; r < u.m; r++) { p[at_p + u32(rows[at_rows + r]) * u.m + r] = 1.0; }`,
  },
  qr: {
    inputs: ['a'],
    outs: ['q', 'r'],
    numbers: ['m', 'n'],
    // The vectors of the reflections below R, and their taus.
    scratch: ([m, n]) => ({ w: m! * n!, taus: Math.min(m!, n!) }),
    isOfFinite: true,
    body: `for (var e = 0u; e < u.m * u.n; e++) { w[at_w + e] = a[at_a + e]; }
let least = min(u.m, u.n);
for (var k = 0u; k < least; k++) {
  ${reflector}
  taus[at_taus + k] = tau;
  for (var c = k + 1u; c < u.n; c++) {
    ${reflect('w', 'u.n')}
  }
}
let width = u.q_n / max(u.m, 1u);
for (var e = 0u; e < u.q_n; e++) { q[at_q + e] = select(0.0, 1.0, e / width == e % width); }
for (var step = 0u; step < least; step++) {
  let k = least - 1u - step;
  let tau = taus[at_taus + k];
  for (var c = 0u; c < width; c++) {
    ${reflect('q', 'width')}
  }
}
for (var e = 0u; e < u.r_n; e++) { r[at_r + e] = select(0.0, w[at_w + e], e % u.n >= e / u.n); }`,
  },
  matrixExp: {
    inputs: ['a'],
    outs: ['out'],
    numbers: ['n'],
    scratch: ([n]) => ({ w: n! * n!, next: n! * n! }),
    isOfFinite: true,
    // Scaling and squaring: halved until 10 terms suffice for float32 (Horner), then squared as often.
    body: `var norm = 0.0;
for (var r = 0u; r < u.n; r++) {
  var sum = 0.0;
  for (var c = 0u; c < u.n; c++) { sum += abs(a[at_a + r * u.n + c]); }
  norm = max(norm, sum);
}
var halvings = 0u;
for (; norm > 0.5; norm *= 0.5) { halvings++; }
for (var e = 0u; e < u.n * u.n; e++) { w[at_w + e] = ldexp(a[at_a + e], -i32(halvings)); }
${identity('out')}
for (var term = 10u; term > 0u; term--) {
  ${product('next', 'w', 'out')}
  for (var e = 0u; e < u.n * u.n; e++) { out[at_out + e] = next[at_next + e] / f32(term) + select(0.0, 1.0, e / u.n == e % u.n); }
}
for (; halvings > 0u; halvings--) {
  ${product('next', 'out', 'out')}
  for (var e = 0u; e < u.n * u.n; e++) { out[at_out + e] = next[at_next + e]; }
}`,
  },
  eigh,
  ldl,
  ldlSolve,
  svd,
};

/** `Kernels.matrices`. */
const matrices: Kernels['matrices'] = (rule, inputs, outs, numbers) => {
  const { name } = rule;
  const found = Object.hasOwn(decompositions, name) ? decompositions[name] : undefined;
  if (found === undefined)
    throw new DeviceError(
      name,
      "is not available on webgpu yet; move its tensors to the CPU, as in await t.toAsync('cpu')",
    );
  const count = sizeOf(inputs[0]!.shape.slice(0, -2));
  if (outs.every(({ numel }) => numel === 0)) return;
  withScratch(outs[0]!, (scratch) => {
    const each = (v: View): number => v.numel / count;
    const read = inputs.map((v) => scratch.packed(v));
    const written = outs.map((v) => (v.dtype === 'float32' ? v : scratch.make('float32', v.numel)));
    const more = Object.entries(found.scratch?.(numbers, outs.map(each)) ?? {});
    const views = [...read, ...written, ...more.map(([, n]) => scratch.make('float32', count * n))];
    const names = [...found.inputs, ...found.outs, ...more.map(([key]) => key)];
    const sizes = [...read.map(each), ...written.map(each), ...more.map(([, n]) => n)];
    const isNan = `var isFinite = true;
${found.inputs.map((key) => `for (var e = 0u; e < u.${key}_n; e++) { let v = ${key}[at_${key} + e]; isFinite = isFinite && !is_nan(v) && !is_infinite(v); }`).join('\n')}
if (!isFinite) {
${found.outs.map((key) => `for (var e = 0u; e < u.${key}_n; e++) { ${key}[at_${key} + e] = not_a_number(); }`).join('\n')}
return;
}`;
    gpuOf(outs[0]!).run(
      `${name} ${read.map((v) => wordOf(v.dtype)).join(' ')}`,
      () => ({
        reads: Object.fromEntries(found.inputs.map((key, k) => [key, wordOf(read[k]!.dtype)])),
        writes: Object.fromEntries(names.slice(read.length).map((key) => [key, 'f32' as const])),
        numbers: ['count', ...found.numbers, ...names.flatMap((key) => [`${key}_n`, `${key}_o`])],
        body: `if (i >= u.count) { return; }
${names.map((key) => `let at_${key} = u.${key}_o + i * u.${key}_n;`).join('\n')}
${found.isOfFinite ? isNan : ''}
${found.body}`,
      }),
      views.map(blockOf),
      [count, ...numbers, ...views.flatMap((v, k) => [sizes[k]!, v.offset])],
      groupsFor(Math.ceil(count / 64)),
    );
    for (const [k, v] of written.entries())
      if (v !== outs[k]) mapKernels.copy({ ...v, ...shapeOf(outs[k]!) }, outs[k]!);
  });
};

/** The shape and strides of a contiguous view. */
const shapeOf = ({ shape, strides }: View): Pick<View, 'shape' | 'strides'> => ({ shape, strides });

export const matricesKernels: Pick<Kernels, 'matrices'> = { matrices };

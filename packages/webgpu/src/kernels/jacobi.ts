import { type Decomposition, identity, rotate, swapRows } from './decomposition.js';

// Jacobi methods: pairs of rows and columns are rotated until the elements between them are 0.

export const eigh: Decomposition = {
  inputs: ['a'],
  outs: ['values', 'columns'],
  numbers: ['n'],
  scratch: ([n]) => ({ w: n! * n!, rows: n! * n! }),
  isOfFinite: true,
  body: `var largest = 0.0;
for (var e = 0u; e < u.n * u.n; e++) { w[at_w + e] = a[at_a + e]; largest = max(largest, abs(a[at_a + e])); }
${identity('rows')}
var turned = true;
for (var sweep = 0; turned && sweep < 30; sweep++) {
  turned = false;
  for (var p = 0u; p + 1u < u.n; p++) {
    for (var q = p + 1u; q < u.n; q++) {
      let beside = w[at_w + p * u.n + q];
      if (abs(beside) <= 3e-8 * largest) { continue; }
      turned = true;
      let zeta = (w[at_w + q * u.n + q] - w[at_w + p * u.n + p]) / (2.0 * beside);
      let t = select(1.0, -1.0, zeta < 0.0) / (abs(zeta) + hypot(1.0, zeta));
      let c = 1.0 / sqrt(1.0 + t * t);
      let s = c * t;
      ${rotate('w', 'u.n')}
      for (var k = 0u; k < u.n; k++) {
        let a = w[at_w + k * u.n + p];
        let b = w[at_w + k * u.n + q];
        w[at_w + k * u.n + p] = c * a - s * b;
        w[at_w + k * u.n + q] = s * a + c * b;
      }
      w[at_w + p * u.n + q] = 0.0;
      w[at_w + q * u.n + p] = 0.0;
      ${rotate('rows', 'u.n')}
    }
  }
}
for (var p = 0u; p < u.n; p++) { values[at_values + p] = w[at_w + p * u.n + p]; }
for (var p = 0u; p < u.n; p++) {
  var q = p;
  for (var r = p + 1u; r < u.n; r++) { if (values[at_values + r] < values[at_values + q]) { q = r; } }
  let kept = values[at_values + p];
  values[at_values + p] = values[at_values + q];
  values[at_values + q] = kept;
  ${swapRows('rows', 'u.n')}
  for (var k = 0u; k < u.n; k++) { columns[at_columns + k * u.n + p] = rows[at_rows + p * u.n + k]; }
}`,
};

/** By Hestenes' one-sided method. */
export const svd: Decomposition = {
  inputs: ['a'],
  outs: ['left', 's', 'right'],
  numbers: ['m', 'n'],
  // The columns of the matrix (of its transpose if that is taller), and the accumulated rotations.
  scratch: ([m, n], [left, , right]) => ({
    x: m! >= n! ? left! : right!,
    turns: Math.min(m!, n!) ** 2,
  }),
  isOfFinite: true,
  // Once the columns are orthogonal to each other, their lengths are the singular values.
  body: `let isTall = u.m >= u.n;
let tall = max(u.m, u.n);
let least = min(u.m, u.n);
let wanted = u.x_n / max(tall, 1u);
var largest = 0.0;
for (var e = 0u; e < u.m * u.n; e++) { largest = max(largest, abs(a[at_a + e])); }
if (largest == 0.0) { largest = 1.0; }
for (var e = 0u; e < least * tall; e++) {
  x[at_x + e] = a[at_a + select(e, e % tall * u.n + e / tall, isTall)] / largest;
}
for (var e = 0u; e < least * least; e++) { turns[at_turns + e] = select(0.0, 1.0, e / least == e % least); }
var turned = true;
for (var sweep = 0; turned && sweep < 30; sweep++) {
  turned = false;
  for (var p = 0u; p + 1u < least; p++) {
    for (var q = p + 1u; q < least; q++) {
      var pp = 0.0;
      var qq = 0.0;
      var pq = 0.0;
      for (var k = 0u; k < tall; k++) {
        let a = x[at_x + p * tall + k];
        let b = x[at_x + q * tall + k];
        pp += a * a;
        qq += b * b;
        pq += a * b;
      }
      if (abs(pq) <= 3e-7 * sqrt(pp) * sqrt(qq)) { continue; }
      turned = true;
      let zeta = (qq - pp) / (2.0 * pq);
      let t = select(1.0, -1.0, zeta < 0.0) / (abs(zeta) + hypot(1.0, zeta));
      let c = 1.0 / sqrt(1.0 + t * t);
      let s = c * t;
      ${rotate('x', 'tall')}
      ${rotate('turns', 'least')}
    }
  }
}
for (var p = 0u; p < least; p++) {
  var sum = 0.0;
  for (var k = 0u; k < tall; k++) { let v = x[at_x + p * tall + k]; sum += v * v; }
  s[at_s + p] = sqrt(sum);
}
var rank = 0u;
for (var p = 0u; p < least; p++) {
  var q = p;
  for (var r = p + 1u; r < least; r++) { if (s[at_s + r] > s[at_s + q]) { q = r; } }
  let length = s[at_s + q];
  s[at_s + q] = s[at_s + p];
  s[at_s + p] = length * largest;
  if (p != q) {
    ${swapRows('x', 'tall')}
    ${swapRows('turns', 'least')}
  }
  if (length == 0.0) { continue; }
  rank++;
  for (var k = 0u; k < tall; k++) { x[at_x + p * tall + k] /= length; }
}
// Complete the orthonormal basis: each vector starts as the axis that is farthest from the span of the others.
for (var row = rank; row < wanted; row++) {
  var axis = 0u;
  var smallest = infinity();
  for (var k = 0u; k < tall; k++) {
    var inside = 0.0;
    for (var r = 0u; r < row; r++) { let v = x[at_x + r * tall + k]; inside += v * v; }
    if (inside < smallest) { smallest = inside; axis = k; }
  }
  for (var k = 0u; k < tall; k++) { x[at_x + row * tall + k] = select(0.0, 1.0, k == axis); }
  for (var round = 0; round < 2; round++) {
    for (var r = 0u; r < row; r++) {
      var dot = 0.0;
      for (var k = 0u; k < tall; k++) { dot += x[at_x + row * tall + k] * x[at_x + r * tall + k]; }
      for (var k = 0u; k < tall; k++) { x[at_x + row * tall + k] -= dot * x[at_x + r * tall + k]; }
    }
    var sum = 0.0;
    for (var k = 0u; k < tall; k++) { let v = x[at_x + row * tall + k]; sum += v * v; }
    for (var k = 0u; k < tall; k++) { x[at_x + row * tall + k] /= sqrt(sum); }
  }
}
// Left vectors are columns, right ones rows.
for (var e = 0u; e < u.left_n; e++) {
  let width = u.left_n / u.m;
  let vector = e % width;
  if (isTall) { left[at_left + e] = x[at_x + vector * tall + e / width]; } else { left[at_left + e] = turns[at_turns + vector * least + e / width]; }
}
for (var e = 0u; e < u.right_n; e++) {
  if (isTall) { right[at_right + e] = turns[at_turns + e]; } else { right[at_right + e] = x[at_x + e]; }
}`,
};

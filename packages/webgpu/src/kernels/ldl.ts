import type { Decomposition } from './decomposition.js';

// The factors L D Lᵀ of a symmetric matrix, whose lower triangle is read, as core finds them: D has blocks of one row
// or of two.

const at = (row: string, column: string): string => `w[at_w + (${row}) * u.n + ${column}]`;

const exchange = (one: string, other: string): string => `kept = ${one}; ${one} = ${other}; ${other} = kept;`;

export const ldl: Decomposition = {
  inputs: ['a'],
  outs: ['ld', 'pivots'],
  numbers: ['n'],
  scratch: ([n]) => ({ w: n! * n! }),
  isOfFinite: true,
  body: `for (var e = 0u; e < u.n * u.n; e++) { w[at_w + e] = a[at_a + e]; }
var block = 1u;
for (var k = 0u; k < u.n; k += block) {
  // The row to exchange with, and whether the block has two rows.
  var p = k;
  block = 1u;
  var most = k;
  for (var i = k + 1u; i < u.n; i++) { if (most == k || abs(${at('i', 'k')}) > abs(${at('most', 'k')})) { most = i; } }
  if (most != k) {
    let own = abs(${at('k', 'k')});
    let column = abs(${at('most', 'k')});
    if (own < 0.6403882 * column) {
      var row = 0.0;
      for (var j = k; j < most; j++) { row = max(row, abs(${at('most', 'j')})); }
      for (var i = most + 1u; i < u.n; i++) { row = max(row, abs(${at('i', 'most')})); }
      if (own < 0.6403882 * column * (column / row)) {
        p = most;
        if (abs(${at('most', 'most')}) < 0.6403882 * row) { block = 2u; }
      }
    }
  }
  let q = k + block - 1u;
  if (p != q) {
    var kept: f32;
    for (var i = p + 1u; i < u.n; i++) { ${exchange(at('i', 'q'), at('i', 'p'))} }
    for (var i = q + 1u; i < p; i++) { ${exchange(at('i', 'q'), at('p', 'i'))} }
    ${exchange(at('q', 'q'), at('p', 'p'))}
    if (block == 2u) { ${exchange(at('k + 1u', 'k'), at('p', 'k'))} }
  }
  if (block == 1u) {
    let d = ${at('k', 'k')};
    if (d != 0.0) {
      for (var j = k + 1u; j < u.n; j++) {
        let f = ${at('j', 'k')} / d;
        for (var i = j; i < u.n; i++) { ${at('i', 'j')} -= ${at('i', 'k')} * f; }
      }
      for (var i = k + 1u; i < u.n; i++) { ${at('i', 'k')} /= d; }
    }
    pivots[at_pivots + k] = f32(p + 1u);
  } else {
    let off = ${at('k + 1u', 'k')};
    let first = ${at('k + 1u', 'k + 1u')} / off;
    let second = ${at('k', 'k')} / off;
    let factor = 1.0 / (first * second - 1.0) / off;
    for (var j = k + 2u; j < u.n; j++) {
      let x = ${at('j', 'k')};
      let y = ${at('j', 'k + 1u')};
      let f = factor * (first * x - y);
      let g = factor * (second * y - x);
      for (var i = j; i < u.n; i++) { ${at('i', 'j')} -= ${at('i', 'k')} * f + ${at('i', 'k + 1u')} * g; }
      ${at('j', 'k')} = f;
      ${at('j', 'k + 1u')} = g;
    }
    pivots[at_pivots + k] = -f32(p + 1u);
    pivots[at_pivots + k + 1u] = -f32(p + 1u);
  }
}
for (var e = 0u; e < u.n * u.n; e++) { ld[at_ld + e] = select(0.0, w[at_w + e], e / u.n >= e % u.n); }`,
};

/**
 * The row that row k was exchanged with, and whether it belongs to a block of two; pivots out of range are clamped, as
 * the device cannot report them.
 */
const pivot = `let given = i32(pivots[at_pivots + u32(k)]);
  let p = u32(clamp(abs(given), 1, i32(u.n))) - 1u;`;

const swapWith = (row: string): string =>
  `for (var c = 0u; c < u.k; c++) { let kept = x[at_x + ${row} * u.k + c]; x[at_x + ${row} * u.k + c] = x[at_x + p * u.k + c]; x[at_x + p * u.k + c] = kept; }`;

const factor = (row: string, column: string): string => `ld[at_ld + (${row}) * u.n + ${column}]`;

export const ldlSolve: Decomposition = {
  inputs: ['ld', 'pivots', 'b'],
  outs: ['x'],
  numbers: ['n', 'k'],
  isOfFinite: false,
  body: `for (var e = 0u; e < u.n * u.k; e++) { x[at_x + e] = b[at_b + e]; }
var block = 1u;
for (var k = 0u; k < u.n; k += block) {
  ${pivot}
  block = select(1u, 2u, given < 0 && k + 1u < u.n);
  let last = k + block - 1u;
  ${swapWith('last')}
  for (var i = last + 1u; i < u.n; i++) {
    for (var j = k; j <= last; j++) {
      for (var c = 0u; c < u.k; c++) { x[at_x + i * u.k + c] -= ${factor('i', 'j')} * x[at_x + j * u.k + c]; }
    }
  }
  if (block == 1u) {
    for (var c = 0u; c < u.k; c++) { x[at_x + k * u.k + c] = divided(x[at_x + k * u.k + c], ${factor('k', 'k')}); }
  } else {
    let off = ${factor('last', 'k')};
    let first = ${factor('k', 'k')} / off;
    let second = ${factor('last', 'last')} / off;
    let scale = 1.0 / (first * second - 1.0) / off;
    for (var c = 0u; c < u.k; c++) {
      let y = x[at_x + k * u.k + c];
      let z = x[at_x + last * u.k + c];
      x[at_x + k * u.k + c] = (second * y - z) * scale;
      x[at_x + last * u.k + c] = (first * z - y) * scale;
    }
  }
}
for (var k = i32(u.n) - 1; k >= 0; k -= i32(block)) {
  ${pivot}
  let row = u32(k);
  block = select(1u, 2u, given < 0 && k > 0);
  for (var i = row + 1u; i < u.n; i++) {
    for (var j = 0u; j < block; j++) {
      for (var c = 0u; c < u.k; c++) { x[at_x + (row - j) * u.k + c] -= ${factor('i', 'row - j')} * x[at_x + i * u.k + c]; }
    }
  }
  ${swapWith('row')}
}`,
};

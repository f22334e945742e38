// Panels for the product kernel: for each k, the elements of some rows of A, or of some columns of B, contiguously.

// @ts-ignore: decorator
@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

// @ts-ignore: decorator
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}

/** Four rows of four elements, at `from` and `step` bytes apart, as columns `apart` bytes apart from `to` on. */
// @ts-ignore: decorator
@inline
function transpose(from: usize, step: usize, to: usize, apart: usize): void {
  const r0 = v128.load(from), r1 = v128.load(from + step);
  const r2 = v128.load(from + 2 * step), r3 = v128.load(from + 3 * step);
  const a = low(r0, r1), b = high(r0, r1), c = low(r2, r3), d = high(r2, r3);
  v128.store(to, v128.shuffle<f64>(a, c, 0, 2));
  v128.store(to + apart, v128.shuffle<f64>(a, c, 1, 3));
  v128.store(to + 2 * apart, v128.shuffle<f64>(b, d, 0, 2));
  v128.store(to + 3 * apart, v128.shuffle<f64>(b, d, 1, 3));
}

/** The height of the next panel if `left` rows are left: tiles are six rows high, or four where that wastes less. */
// @ts-ignore: decorator
@inline
export function panelHeight(left: usize): usize {
  return left > 8 || left == 5 || left == 6 ? 6 : 4;
}

/** How many rows `packRows` writes for `m`. */
export function packedHeight(m: usize): usize {
  let height: usize = 0;
  for (let i: usize = 0; i < m; ) {
    const panel = panelHeight(m - i);
    height += panel;
    i += panel;
  }
  return height;
}

/** Rows of A, six or four at a time; missing ones are zeros. Strides in bytes. */
export function packRows(a: usize, rs: usize, cs: usize, m: usize, k: usize, to: usize): void {
  for (let i: usize = 0; i < m; ) {
    const height = panelHeight(m - i);
    const rows = min(height, m - i);
    const from = a + i * rs;
    if (rows == 6 && cs == 4) to = sixLines(from, rs, k, to);
    else if (rows == 6 && rs == 4) to = sixNeighbors(from, cs, k, to);
    else if (rows == 4 && cs == 4) to = fourLines(from, rs, k, to);
    else to = lines(from, rs, cs, rows, height, k, to);
    i += height;
  }
}

/** Columns of B, eight at a time; missing ones are zeros. Strides in bytes. */
export function packColumns(b: usize, rs: usize, cs: usize, k: usize, n: usize, to: usize): void {
  for (let j: usize = 0; j < n; j += 8) {
    const columns = min(<usize>8, n - j);
    const from = b + j * cs;
    if (columns == 8 && cs == 4) to = eightNeighbors(from, rs, k, to);
    else if (columns == 8 && rs == 4) to = eightLines(from, cs, k, to);
    else to = lines(from, cs, rs, columns, 8, k, to);
  }
}

/** Packs `count` lines, padded to `width` with zeros: a line every `ls` bytes, its elements `es` bytes apart. */
function lines(from: usize, ls: usize, es: usize, count: usize, width: usize, k: usize, to: usize): usize {
  for (let p: usize = 0; p < k; p++, from += es, to += width * 4) {
    let at = from;
    let l: usize = 0;
    for (; l < count; l++, at += ls) store<f32>(to + l * 4, load<f32>(at));
    for (; l < width; l++) store<f32>(to + l * 4, 0);
  }
  return to;
}

function sixLines(from: usize, ls: usize, k: usize, to: usize): usize {
  let p: usize = 0;
  for (; p + 4 <= k; p += 4, from += 16, to += 96) {
    transpose(from, ls, to, 24);
    const r4 = v128.load(from + 4 * ls), r5 = v128.load(from + 5 * ls);
    const a = low(r4, r5), b = high(r4, r5);
    v128.store_lane<u64>(to + 16, a, 0);
    v128.store_lane<u64>(to + 40, a, 1);
    v128.store_lane<u64>(to + 64, b, 0);
    v128.store_lane<u64>(to + 88, b, 1);
  }
  return lines(from, ls, 4, 6, 6, k - p, to);
}

function fourLines(from: usize, ls: usize, k: usize, to: usize): usize {
  let p: usize = 0;
  for (; p + 4 <= k; p += 4, from += 16, to += 64) transpose(from, ls, to, 16);
  return lines(from, ls, 4, 4, 4, k - p, to);
}

function sixNeighbors(from: usize, es: usize, k: usize, to: usize): usize {
  for (let p: usize = 0; p < k; p++, from += es, to += 24) {
    v128.store(to, v128.load(from));
    store<u64>(to + 16, load<u64>(from + 16));
  }
  return to;
}

function eightLines(from: usize, ls: usize, k: usize, to: usize): usize {
  let p: usize = 0;
  for (; p + 4 <= k; p += 4, from += 16, to += 128) {
    transpose(from, ls, to, 32);
    transpose(from + 4 * ls, ls, to + 16, 32);
  }
  return lines(from, ls, 4, 8, 8, k - p, to);
}

function eightNeighbors(from: usize, es: usize, k: usize, to: usize): usize {
  for (let p: usize = 0; p < k; p++, from += es, to += 32) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
  }
  return to;
}

/**
 * The largest element of each window of `planes` planes `[h, w]`, float32, and its index among all elements, of
 * which `base` come before the first plane; NaN counts as the largest. A window outside the image gives -Infinity,
 * at index -1.
 */
export function maxPool(
  x: usize, planes: i32, base: i32, h: i32, w: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, ph: i32, pw: i32, dh: i32, dw: i32,
  rows: i32, columns: i32, values: usize, indices: usize,
): void {
  const size = <usize>(rows * columns) << 2;
  for (let p = 0; p < planes; p++, x += <usize>(h * w) << 2, base += h * w, values += size, indices += size)
    maxPoolPlane(x, base, h, w, kh, kw, sh, sw, ph, pw, dh, dw, rows, columns, values, indices);
}

function maxPoolPlane(
  plane: usize, base: i32, h: i32, w: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, ph: i32, pw: i32, dh: i32, dw: i32,
  rows: i32, columns: i32, values: usize, indices: usize,
): void {
  for (let y = 0; y < rows; y++) {
    const top = y * sh - ph;
    // The rows of the window that lie in the image.
    const firstRow = top >= 0 ? 0 : (-top + dh - 1) / dh;
    const lastRow = top + (kh - 1) * dh < h ? kh : h <= top ? 0 : (h - top + dh - 1) / dh;
    let x = 0;
    while (x < columns) {
      const left = x * sw - pw;
      // Four windows that lie within the image from side to side, at once. The last ones may be done again for that.
      if (x > 0 && x + 4 > columns && columns >= 4 && (columns - 4) * sw >= pw && (columns - 1) * sw - pw + (kw - 1) * dw < w) {
        const back = <usize>(x + 4 - columns) << 2;
        x = columns - 4;
        values -= back;
        indices -= back;
        continue;
      }
      if (left >= 0 && x + 4 <= columns && left + 3 * sw + (kw - 1) * dw < w) {
        fourWindows(plane, base, w, top, left, firstRow, lastRow, kw, sw, dh, dw, values, indices);
        x += 4;
        values += 16;
        indices += 16;
        continue;
      }
      const firstColumn = left >= 0 ? 0 : (-left + dw - 1) / dw;
      const lastColumn = left + (kw - 1) * dw < w ? kw : w <= left ? 0 : (w - left + dw - 1) / dw;
      let best: f32 = -Infinity;
      let at = -1;
      for (let i = firstRow; i < lastRow; i++)
        for (let j = firstColumn; j < lastColumn; j++) {
          const place = (top + i * dh) * w + left + j * dw;
          const v = load<f32>(plane + (<usize>place << 2));
          if (v > best || v != v || at < 0) {
            best = v;
            at = place;
          }
        }
      store<f32>(values, best);
      store<i32>(indices, at < 0 ? at : base + at);
      x++;
      values += 4;
      indices += 4;
    }
  }
}

/** Four elements, `step` apart. */
// @ts-ignore: decorator
@inline
function four(from: usize, step: i32): v128 {
  if (step == 2) return v128.shuffle<f32>(v128.load(from), v128.load(from, 16), 0, 2, 4, 6);
  if (step == 1) return v128.load(from);
  const bytes = <usize>step << 2;
  let v = v128.load32_zero(from);
  v = v128.load_lane<f32>(from + bytes, v, 1);
  v = v128.load_lane<f32>(from + 2 * bytes, v, 2);
  return v128.load_lane<f32>(from + 3 * bytes, v, 3);
}

/** Without branches: which element is the largest cannot be foreseen. */
// @ts-ignore: decorator
@inline
function fourWindows(
  plane: usize, base: i32, w: i32, top: i32, left: i32, firstRow: i32, lastRow: i32, kw: i32, sw: i32, dh: i32, dw: i32,
  values: usize, indices: usize,
): void {
  let best = f32x4.splat(-Infinity);
  // Counted from the first window's corner.
  let at = i32x4.splat(-1);
  for (let i = firstRow; i < lastRow; i++) {
    let place = (top + i * dh) * w + left;
    for (let j = 0; j < kw; j++, place += dw) {
      const v = four(plane + (<usize>place << 2), sw);
      const take = v128.or(v128.or(f32x4.gt(v, best), f32x4.ne(v, v)), i32x4.lt_s(at, i32x4.splat(0)));
      best = v128.bitselect(v, best, take);
      at = v128.bitselect(i32x4.splat(place), at, take);
    }
  }
  const windows = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(sw));
  v128.store(values, best);
  v128.store(indices, v128.bitselect(at, i32x4.add(i32x4.add(at, windows), i32x4.splat(base)), i32x4.lt_s(at, i32x4.splat(0))));
}

/** Zeros, with each of the `size` gradients of a plane added at the index that `maxPool` wrote. */
export function maxPoolGradient(
  to: usize, grad: usize, indices: usize, planes: i32, base: i32, plane: i32, size: i32,
): void {
  for (let p = 0; p < planes; p++, base += plane, to += <usize>plane << 2) {
    memory.fill(to, 0, <usize>plane << 2);
    for (let i = 0; i < size; i++, grad += 4, indices += 4) {
      const place = load<i32>(indices);
      if (place < 0) continue;
      const at = to + (<usize>(place - base) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(grad));
    }
  }
}

/**
 * The largest element of each window of one plane `[h, w]`, float32, and where in the plane it stands; NaN counts as the
 * largest. A window that misses the image gives -Infinity, at -1.
 */
export function maxPool(
  plane: usize, h: i32, w: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, ph: i32, pw: i32, dh: i32, dw: i32,
  rows: i32, columns: i32, values: usize, places: usize,
): void {
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++, values += 4, places += 4) {
      const top = y * sh - ph;
      const left = x * sw - pw;
      let best: f32 = -Infinity;
      let at = -1;
      for (let i = 0; i < kh; i++) {
        const row = top + i * dh;
        if (row < 0 || row >= h) continue;
        for (let j = 0; j < kw; j++) {
          const column = left + j * dw;
          if (column < 0 || column >= w) continue;
          const v = load<f32>(plane + (<usize>(row * w + column) << 2));
          const take = at < 0 || v > best || v != v;
          best = take ? v : best;
          at = take ? row * w + column : at;
        }
      }
      store<f32>(values, best);
      store<i32>(places, at);
    }
}

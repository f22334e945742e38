// Patches of images for convolutions as matrix products. Images are [c, h, w], float32.

/** Copies `n` floats. */
// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(to + (i << 2), v128.load(from + (i << 2)));
  for (; i < n; i++) store<f32>(to + (i << 2), load<f32>(from + (i << 2)));
}

// @ts-ignore: decorator
@inline
function zero(to: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(to + (i << 2), f32x4.splat(0));
  for (; i < n; i++) store<f32>(to + (i << 2), 0);
}

// @ts-ignore: decorator
@inline
function add(to: usize, from: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4)
    v128.store(to + (i << 2), f32x4.add(v128.load(to + (i << 2)), v128.load(from + (i << 2))));
  for (; i < n; i++) store<f32>(to + (i << 2), load<f32>(to + (i << 2)) + load<f32>(from + (i << 2)));
}

/** The first x whose place `x * stride + shift` is not before the image, at most `columns`. */
// @ts-ignore: decorator
@inline
function firstInside(shift: i32, stride: i32, columns: i32): i32 {
  return min(columns, shift >= 0 ? 0 : (-shift + stride - 1) / stride);
}

/** The first x whose place is beyond an image of width `w`. */
// @ts-ignore: decorator
@inline
function firstBeyond(shift: i32, stride: i32, columns: i32, w: i32): i32 {
  return min(columns, w <= shift ? 0 : (w - shift + stride - 1) / stride);
}

/** The patches as columns `[c * kh * kw, rows * columns]`, zeros beyond the border. */
export function im2col(
  image: usize, c: i32, h: i32, w: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, ph: i32, pw: i32, dh: i32, dw: i32,
  rows: i32, columns: i32, to: usize,
): void {
  for (let plane = 0; plane < c; plane++)
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++) {
        const shift = j * dw - pw;
        const first = firstInside(shift, sw, columns);
        const beyond = max(first, firstBeyond(shift, sw, columns, w));
        for (let y = 0; y < rows; y++, to += <usize>columns << 2) {
          const row = y * sh - ph + i * dh;
          if (row < 0 || row >= h) {
            zero(to, columns);
            continue;
          }
          zero(to, first);
          const from = image + (<usize>((plane * h + row) * w) << 2);
          if (sw == 1) copy(to + (<usize>first << 2), from + ((first + shift) << 2), beyond - first);
          else
            for (let x = first; x < beyond; x++)
              store<f32>(to + (<usize>x << 2), load<f32>(from + ((x * sw + shift) << 2)));
          zero(to + (<usize>beyond << 2), columns - beyond);
        }
      }
}

/** Columns added into the image they are patches of: the transpose of `im2col`. */
export function col2im(
  from: usize, c: i32, h: i32, w: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, ph: i32, pw: i32, dh: i32, dw: i32,
  rows: i32, columns: i32, image: usize,
): void {
  for (let plane = 0; plane < c; plane++)
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++) {
        const shift = j * dw - pw;
        const first = firstInside(shift, sw, columns);
        const beyond = max(first, firstBeyond(shift, sw, columns, w));
        for (let y = 0; y < rows; y++, from += <usize>columns << 2) {
          const row = y * sh - ph + i * dh;
          if (row < 0 || row >= h) continue;
          const to = image + (<usize>((plane * h + row) * w) << 2);
          if (sw == 1) add(to + ((first + shift) << 2), from + (<usize>first << 2), beyond - first);
          else
            for (let x = first; x < beyond; x++) {
              const at = to + ((x * sw + shift) << 2);
              store<f32>(at, load<f32>(at) + load<f32>(from + (<usize>x << 2)));
            }
        }
      }
}

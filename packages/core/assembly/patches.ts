// Patches of float32 images [c, h, w]. The shape of a convolution is read from `g`; see `conv.ts`.
import { inputsOf, paddedOf, positionsOf } from './geometry';

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

/** The patches of an image with its padding as rows `[rows * columns, c * kh * kw]`; up to 7 floats are written past the end. */
export function im2row(g: usize, image: usize, to: usize): void {
  const c = inputsOf(g), kh = load<i32>(g, 20), kw = load<i32>(g, 24), sh = load<i32>(g, 28), sw = load<i32>(g, 32);
  const dh = load<i32>(g, 44), dw = load<i32>(g, 48), rows = load<i32>(g, 52), columns = load<i32>(g, 56);
  const W = load<i32>(g, 16) + 2 * load<i32>(g, 40), H = load<i32>(g, 12) + 2 * load<i32>(g, 36);
  const row = <usize>(dh * W) << 2, plane = <usize>(H * W) << 2, run = <usize>kw << 2;
  const vectors = dw != 1 || kw > 8 ? 0 : kw > 4 ? 2 : 1;
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      let top = image + (<usize>(y * sh * W + x * sw) << 2);
      // What is written past the end of a run is overwritten by the next.
      if (vectors == 1)
        for (let p = 0; p < c; p++, top += plane)
          for (let i = 0, at = top; i < kh; i++, at += row, to += run) v128.store(to, v128.load(at));
      else
        for (let p = 0; p < c; p++, top += plane)
          for (let i = 0, at = top; i < kh; i++, at += row, to += run)
            if (vectors == 2) {
              v128.store(to, v128.load(at));
              v128.store(to, v128.load(at, 16), 16);
            } else for (let k = 0; k < kw; k++) store<f32>(to + (<usize>k << 2), load<f32>(at + (<usize>(k * dw) << 2)));
    }
}

/** Columns added into the image they are patches of: the transpose of `im2col`. */
export function col2im(g: usize, from: usize, image: usize): void {
  const c = inputsOf(g), h = load<i32>(g, 12), w = load<i32>(g, 16), kh = load<i32>(g, 20), kw = load<i32>(g, 24);
  const sh = load<i32>(g, 28), sw = load<i32>(g, 32), ph = load<i32>(g, 36), pw = load<i32>(g, 40);
  const dh = load<i32>(g, 44), dw = load<i32>(g, 48), rows = load<i32>(g, 52), columns = load<i32>(g, 56);
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

/** The image with zeros around it, in `to`; itself where there is no padding. */
export function pad(g: usize, image: usize, to: usize): usize {
  const c = inputsOf(g), h = load<i32>(g, 12), w = load<i32>(g, 16), ph = load<i32>(g, 36), pw = load<i32>(g, 40);
  if ((ph | pw) == 0) return image;
  memory.fill(to, 0, <usize>paddedOf(g) << 2);
  const width = <usize>(w + 2 * pw) << 2;
  let at = to;
  for (let plane = 0; plane < c; plane++) {
    at += <usize>ph * width + (<usize>pw << 2);
    for (let y = 0; y < h; y++, at += width, image += <usize>w << 2) copy(at, image, w);
    at += <usize>ph * width - (<usize>pw << 2);
  }
  return to;
}

/**
 * Elements `pc` to `pc + kc` of the patches at positions `jc` to `jc + nc`, from an image with its padding, as columns for
 * the product kernel: of each element, those of eight positions side by side. Rows may be written past the eighth place:
 * the next element is written over that, and behind the last there is room for it.
 */
export function packPatches(g: usize, image: usize, pc: i32, kc: i32, jc: i32, nc: i32, to: usize): void {
  const kh = load<i32>(g, 20), kw = load<i32>(g, 24), sh = load<i32>(g, 28), sw = load<i32>(g, 32);
  const columns = load<i32>(g, 56), last = positionsOf(g) - 1;
  const W = load<i32>(g, 16) + 2 * load<i32>(g, 40), H = load<i32>(g, 12) + 2 * load<i32>(g, 36);
  // Bytes from element to element, from row to row and from plane to plane of a patch.
  const element = <usize>load<i32>(g, 48) << 2, row = <usize>(load<i32>(g, 44) * W) << 2, plane = <usize>(H * W) << 2;
  const end = pc + kc;
  for (let j = 0; j < nc; j += 8) {
    const place = jc + j;
    const y = place / columns, x = place % columns;
    const first = columns - x;
    const oneRow = first >= 8 || place + first > last;
    const here = <usize>(y * sh * W + x) << 2, next = <usize>((y + 1) * sh * W) << 2;
    let i = pc % (kh * kw) / kw, k = pc % kw;
    let top = image + <usize>(pc / (kh * kw)) * plane;
    for (let p = pc; p < end; ) {
      // A run of elements of one row of a patch.
      const at = top + <usize>i * row + <usize>k * element;
      const run = min(kw - k, end - p);
      if (sw != 1 || first + columns < 8) gather(at, run, element, place, last, columns, sh, sw, W, to);
      else if (oneRow) oneSegment(at + here, run, element, to);
      else if (first <= 4) shortSegment(at + here, at + next, <usize>first << 2, run, element, to);
      else longSegment(at + here, at + next, <usize>first << 2, run, element, to);
      to += <usize>run << 5;
      p += run;
      k = 0;
      if (++i == kh) {
        i = 0;
        top += plane;
      }
    }
  }
}

/** Eight positions in one row of the result. */
// @ts-ignore: decorator
@inline
function oneSegment(at: usize, run: i32, element: usize, to: usize): void {
  for (let r = 0; r < run; r++, at += element, to += 32) {
    v128.store(to, v128.load(at));
    v128.store(to, v128.load(at, 16), 16);
  }
}

/** Up to four positions in one row, `apart` bytes, and the others in the next. */
// @ts-ignore: decorator
@inline
function shortSegment(at: usize, next: usize, apart: usize, run: i32, element: usize, to: usize): void {
  for (let r = 0; r < run; r++, at += element, next += element, to += 32) {
    v128.store(to, v128.load(at));
    v128.store(to + apart, v128.load(next));
    v128.store(to + apart, v128.load(next, 16), 16);
  }
}

/** More than four positions in one row, `apart` bytes, and the others in the next. */
// @ts-ignore: decorator
@inline
function longSegment(at: usize, next: usize, apart: usize, run: i32, element: usize, to: usize): void {
  for (let r = 0; r < run; r++, at += element, next += element, to += 32) {
    v128.store(to, v128.load(at));
    v128.store(to, v128.load(at, 16), 16);
    v128.store(to + apart, v128.load(next));
  }
}

/** Places one by one; those beyond the last repeat it, their results are dropped. */
function gather(
  at: usize, run: i32, element: usize, place: i32, last: i32, columns: i32, sh: i32, sw: i32, W: i32, to: usize,
): void {
  for (let l = 0; l < 8; l++, to += 4) {
    const p = min(place + l, last);
    let from = at + (<usize>(p / columns * sh * W + p % columns * sw) << 2);
    for (let r = 0; r < run; r++, from += element) store<f32>(to + (<usize>r << 5), load<f32>(from));
  }
}

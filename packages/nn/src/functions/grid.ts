import {
  DTypeError,
  floor,
  hardtanh,
  linspace,
  logicalAnd,
  ones,
  type Shape,
  ShapeError,
  stack,
  type Tensor,
  where,
} from '@gradgate/core';
import { check, checkOptions, checkSize, checkTensors, inFloat32, is, named, sizeOf } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** How values between elements are computed; 'bilinear' by default. Volumes have no 'bicubic'. */
  mode?: 'bilinear' | 'nearest' | 'bicubic';
  /** What lies beyond the border: zeros (the default), the nearest element, or the mirrored input. */
  paddingMode?: 'zeros' | 'border' | 'reflection';
  /** Whether -1 and 1 are the centers of the outermost pixels rather than their edges; false by default. */
  alignCorners?: boolean;
}

const gridOptions = {
  mode: is.oneOf('bilinear', 'nearest', 'bicubic'),
  paddingMode: is.oneOf('zeros', 'border', 'reflection'),
  alignCorners: is.boolean,
};
const alignOptions = { alignCorners: is.boolean };
const planes = is.tuple(is.count, is.count, is.count, is.count);
const sizesOfGrid = is.either(planes, is.tuple(is.count, is.count, is.count, is.count, is.count));

/**
 * The sampling grid of affine maps, for `gridSample`: the source of each pixel as x, y (and z) from -1 to 1. `theta`
 * `[N, 2, 3]` and a `size` `[N, C, H, W]` make a grid of planes `[N, H, W, 2]`, `[N, 3, 4]` and `[N, C, D, H, W]` one
 * of volumes `[N, D, H, W, 3]`. Option `alignCorners` is false by default.
 *
 * ```ts
 * const identity = tensor([[[1, 0, 0], [0, 1, 0]]]);
 * functional.affineGrid(identity, [1, 1, 1, 2]); // [[[[-0.5, 0], [0.5, 0]]]]
 * ```
 */
export const affineGrid = /* @__PURE__ */ named(
  'affineGrid',
  (theta: Tensor, size: Shape, options?: { alignCorners?: boolean }): Tensor => {
    const op = 'affineGrid';
    checkTensors(op, theta);
    const { alignCorners = false } = checkOptions(op, options, alignOptions);
    if (!/float/.test(theta.dtype))
      throw new DTypeError(op, `takes floating point tensors, got ${theta.dtype}; use .float()`);
    check(op, 'size', size, sizesOfGrid);
    const [n, , ...sides] = size as [number, number, ...number[]];
    const dims = sides.length;
    if (theta.shape.join() !== [n, dims, dims + 1].join())
      throw new ShapeError(
        op,
        `theta must be [${n}, ${dims}, ${dims + 1}] for a size of [${size.join(', ')}], got ${shapeText(theta)}`,
      );
    checkSize(op, [n, ...sides, dims]);
    const { dtype, device } = theta;
    const line = (m: number): Tensor => {
      if (alignCorners) return m === 1 ? ones([1], { dtype, device }).mul(0) : linspace(-1, 1, m, { dtype, device });
      return linspace(1 / m - 1, 1 - 1 / m, m, { dtype, device });
    };
    // x belongs to the last side.
    const axes = sides
      .map((m, d) =>
        line(m)
          .reshape(sides.map((_, i) => (i === d ? m : 1)))
          .expand(sides),
      )
      .reverse();
    const places = stack([...axes, ones(sides, { dtype, device })], -1).reshape([1, sizeOf(sides), dims + 1]);
    return places.matmul(theta.transpose(1, 2)).reshape([n, ...sides, dims]);
  },
);

/**
 * Samples the planes `x` `[N, C, H, W]` at the points `grid` `[N, h, w, 2]`, given as x, y from -1 to 1: `[N, C, h, w]`
 * (Jaderberg et al., 2015); or volumes `[N, C, D, H, W]` at `[N, d, h, w, 3]`, given as x, y, z: `[N, C, d, h, w]`.
 * Gradients flow to both. Options: `mode` 'bilinear' (of volumes that is trilinear; they have no 'bicubic'),
 * `paddingMode` 'zeros', `alignCorners` false.
 *
 * ```ts
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * functional.gridSample(x, tensor([[[[0, 0]]]])); // [[[[2.5]]]]
 * ```
 */
export const gridSample = /* @__PURE__ */ inFloat32(
  'gridSample',
  (x: Tensor, grid: Tensor, options?: GridSampleOptions): Tensor => {
    const op = 'gridSample';
    checkTensors(op, x, grid);
    const given = checkOptions(op, options, gridOptions);
    const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = given;
    const dims = x.ndim - 2;
    const sides = x.shape.slice(2).reverse();
    const fits = grid.ndim === x.ndim && grid.shape.at(-1) === dims && grid.shape[0] === x.shape[0];
    if ((dims !== 2 && dims !== 3) || !fits || sides.includes(0))
      throw new ShapeError(
        op,
        `takes [N, C, H, W] and a grid [N, h, w, 2], or [N, C, D, H, W] and [N, d, h, w, 3], got ${shapeText(x)} and ${shapeText(grid)}`,
      );
    if (mode === 'bicubic' && dims === 3)
      throw new TypeError(`${op}: mode 'bicubic' needs planes [N, C, H, W], got ${shapeText(x)}`);
    const inside = (place: Tensor, size: number) => within(place, size, paddingMode, alignCorners);
    // In elements of each side, x first.
    const points = sides.map((size, d) => {
      const at = grid.select(-1, d).add(1);
      return alignCorners ? at.mul((size - 1) / 2) : at.mul(size / 2).sub(0.5);
    });
    if (mode === 'bicubic') return bicubic(x, points[0]!, points[1]!, inside);
    const places = points.map((at, d) => inside(at, sides[d]!));
    if (mode === 'nearest')
      return pick(
        x,
        places.map((at) => at.detach().round()),
      );
    const low = places.map((at) => floor(at.detach()));
    const shares = places.map((at, d) => {
      const share = at.sub(low[d]!);
      return [share.neg().add(1), share] as const;
    });
    // All corners of the cell around each point.
    let sum: Tensor | null = null;
    for (let corner = 0; corner < 2 ** dims; corner++) {
      const bits = sides.map((_, d) => (corner >> d) & 1);
      const weight = bits.map((bit, d) => shares[d]![bit]!).reduce((a, b) => a.mul(b));
      const part = pick(
        x,
        low.map((at, d) => at.add(bits[d]!)),
      ).mul(weight.unsqueeze(1));
      sum = sum === null ? part : sum.add(part);
    }
    return sum!;
  },
);

/** Moves coordinates outside into the input, by the padding mode. */
function within(place: Tensor, size: number, mode: GridSampleOptions['paddingMode'], alignCorners: boolean): Tensor {
  if (mode === 'zeros') return place;
  if (mode === 'border') return inBounds(place, size);
  const [low, high] = alignCorners ? [0, size - 1] : [-0.5, size - 0.5];
  const span = high - low;
  if (span === 0) return place.mul(0);
  // Reflection repeats with a period of two spans; every second one is mirrored.
  const away = place.sub(low).abs();
  const turns = floor(away.detach().div(span));
  const rest = away.sub(turns.mul(span));
  const mirrored = where(turns.remainder(2).eq(0), rest.add(low), rest.neg().add(span + low));
  return inBounds(mirrored, size);
}

/** Clamps to the input. As in PyTorch, a coordinate on the border gets no gradient. */
const inBounds = (place: Tensor, size: number): Tensor =>
  size === 1 ? place.mul(0) : hardtanh(place, { min: 0, max: size - 1 });

/** The elements of `x` at whole coordinates, given for x, y (and z): `[N, C, ...]` of the points; 0 outside. */
function pick(x: Tensor, at: readonly Tensor[]): Tensor {
  const [n, c, ...sides] = x.shape as [number, number, ...number[]];
  const points = at[0]!.shape.slice(1);
  const count = sizeOf(points);
  const sizes = sides.slice().reverse();
  // A coordinate of NaN is not inside either.
  const inside = at.map((p, d) => logicalAnd(p.ge(0), p.le(sizes[d]! - 1))).reduce((a, b) => logicalAnd(a, b));
  const flat = at.reduceRight((place, p, d) => place.mul(sizes[d]!).add(p));
  const index = where(inside, flat, 0).int().reshape([n, 1, count]).expand(n, c, count);
  const values = x
    .reshape([n, c, sizeOf(sides)])
    .gather(2, index)
    .reshape([n, c, ...points]);
  return where(inside.unsqueeze(1), values, 0);
}

/**
 * The weights of the four neighbors by cubic convolution (Keys, 1981; a = -3/4), at distance `t` behind the second.
 */
function cubicWeights(t: Tensor): Tensor[] {
  const a = -0.75;
  const near = (d: Tensor) =>
    d
      .mul(a + 2)
      .sub(a + 3)
      .mul(d)
      .mul(d)
      .add(1);
  const far = (d: Tensor) =>
    d
      .mul(a)
      .sub(5 * a)
      .mul(d)
      .add(8 * a)
      .mul(d)
      .sub(4 * a);
  const rest = t.neg().add(1);
  return [far(t.add(1)), near(t), near(rest), far(rest.add(1))];
}

function bicubic(x: Tensor, gx: Tensor, gy: Tensor, inside: (place: Tensor, size: number) => Tensor): Tensor {
  const [h, w] = [x.shape[2]!, x.shape[3]!];
  const [x0, y0] = [floor(gx.detach()), floor(gy.detach())];
  const [wx, wy] = [cubicWeights(gx.sub(x0)), cubicWeights(gy.sub(y0))];
  let sum: Tensor | null = null;
  for (let j = 0; j < 4; j++)
    for (let i = 0; i < 4; i++) {
      const values = pick(x, [inside(x0.add(i - 1), w).round(), inside(y0.add(j - 1), h).round()]);
      const part = values.mul(wx[i]!.mul(wy[j]!).unsqueeze(1));
      sum = sum === null ? part : sum.add(part);
    }
  return sum!;
}

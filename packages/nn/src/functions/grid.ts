import {
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
import { check, checkOptions, checkSize, checkTensors, is, named } from '@gradgate/core/internal';

export interface GridSampleOptions {
  /** How values between elements are computed; 'bilinear' by default. */
  mode?: 'bilinear' | 'nearest' | 'bicubic';
  /** What lies beyond the border: zeros (the default), the nearest element, or the mirrored plane. */
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
const fourSizes = is.tuple(is.count, is.count, is.count, is.count);

/**
 * The sampling grid of affine maps `theta` `[N, 2, 3]`, for `gridSample`: `[N, H, W, 2]`, the source of each pixel as
 * x, y from -1 to 1. `size` is `[N, C, H, W]`. Option `alignCorners` is false by default.
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
    check(op, 'size', size, fourSizes);
    const [n, , h, w] = size as [number, number, number, number];
    if (theta.shape.join() !== [n, 2, 3].join())
      throw new ShapeError(
        op,
        `theta is [${n}, 2, 3] for a size of [${size.join(', ')}], got [${theta.shape.join(', ')}]`,
      );
    checkSize(op, [n, h, w, 2]);
    const { dtype, device } = theta;
    const line = (m: number): Tensor => {
      if (alignCorners) return m === 1 ? ones([1], { dtype, device }).mul(0) : linspace(-1, 1, m, { dtype, device });
      return linspace(1 / m - 1, 1 - 1 / m, m, { dtype, device });
    };
    const x = line(w).reshape([1, w]).expand(h, w);
    const y = line(h).reshape([h, 1]).expand(h, w);
    const places = stack([x, y, ones([h, w], { dtype, device })], -1).reshape([1, h * w, 3]);
    return places.matmul(theta.transpose(1, 2)).reshape([n, h, w, 2]);
  },
);

/**
 * Samples the planes `x` `[N, C, H, W]` at the points `grid` `[N, h, w, 2]`, given as x, y from -1 to 1: `[N, C, h, w]`
 * (Jaderberg et al., 2015). Gradients flow to both. Options: `mode` 'bilinear', `paddingMode` 'zeros', `alignCorners`
 * false.
 *
 * ```ts
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * functional.gridSample(x, tensor([[[[0, 0]]]])); // [[[[2.5]]]]
 * ```
 */
export const gridSample = /* @__PURE__ */ named(
  'gridSample',
  (x: Tensor, grid: Tensor, options?: GridSampleOptions): Tensor => {
    const op = 'gridSample';
    checkTensors(op, x, grid);
    const given = checkOptions(op, options, gridOptions);
    const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = given;
    if (
      x.ndim !== 4 ||
      grid.ndim !== 4 ||
      grid.shape[3] !== 2 ||
      grid.shape[0] !== x.shape[0] ||
      x.shape[2]! * x.shape[3]! === 0
    )
      throw new ShapeError(
        op,
        `takes [N, C, H, W] and a grid [N, h, w, 2], got [${x.shape.join(', ')}] and [${grid.shape.join(', ')}]`,
      );
    const sides = [x.shape[3]!, x.shape[2]!] as const;
    const inside = (place: Tensor, size: number) => within(place, size, paddingMode, alignCorners);
    const [gx, gy] = [0, 1].map((d) => {
      const at = grid.select(3, d);
      const size = sides[d]!;
      return alignCorners
        ? at.add(1).mul((size - 1) / 2)
        : at
            .add(1)
            .mul(size / 2)
            .sub(0.5);
    }) as [Tensor, Tensor];
    if (mode === 'bicubic') return bicubic(x, gx, gy, inside);
    const [px, py] = [inside(gx, sides[0]), inside(gy, sides[1])];
    if (mode === 'nearest') return pick(x, px.detach().round(), py.detach().round());
    const [x0, y0] = [floor(px.detach()), floor(py.detach())];
    const [fx, fy] = [px.sub(x0), py.sub(y0)];
    const [ex, ey] = [fx.neg().add(1), fy.neg().add(1)];
    const corner = (dx: number, dy: number, weight: Tensor) => pick(x, x0.add(dx), y0.add(dy)).mul(weight.unsqueeze(1));
    return corner(0, 0, ex.mul(ey))
      .add(corner(1, 0, fx.mul(ey)))
      .add(corner(0, 1, ex.mul(fy)))
      .add(corner(1, 1, fx.mul(fy)));
  },
);

/** Moves coordinates outside into the plane, by the padding mode. */
function within(place: Tensor, size: number, mode: GridSampleOptions['paddingMode'], alignCorners: boolean): Tensor {
  if (mode === 'zeros') return place;
  if (mode === 'border') return inPlane(place, size);
  const [low, high] = alignCorners ? [0, size - 1] : [-0.5, size - 0.5];
  const span = high - low;
  if (span === 0) return place.mul(0);
  // Reflection repeats with a period of two spans; every second one is mirrored.
  const away = place.sub(low).abs();
  const turns = floor(away.detach().div(span));
  const rest = away.sub(turns.mul(span));
  const mirrored = where(turns.remainder(2).eq(0), rest.add(low), rest.neg().add(span + low));
  return inPlane(mirrored, size);
}

/** Clamps to the plane. As in PyTorch, a coordinate on the border gets no gradient. */
const inPlane = (place: Tensor, size: number): Tensor =>
  size === 1 ? place.mul(0) : hardtanh(place, { min: 0, max: size - 1 });

/** The elements of `x` at whole coordinates, `[N, C, h, w]`; 0 outside. */
function pick(x: Tensor, column: Tensor, row: Tensor): Tensor {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [, rows, columns] = column.shape as [number, number, number];
  const inX = logicalAnd(column.ge(0), column.le(w - 1));
  const inY = logicalAnd(row.ge(0), row.le(h - 1));
  // A coordinate of NaN is not inside either.
  const inside = logicalAnd(inX, inY);
  const place = where(inside, row.mul(w).add(column), 0).int();
  const index = place.reshape([n, 1, rows * columns]).expand(n, c, rows * columns);
  const values = x
    .reshape([n, c, h * w])
    .gather(2, index)
    .reshape([n, c, rows, columns]);
  return where(inside.unsqueeze(1), values, 0);
}

/**
 * The weights of the four neighbours by cubic convolution (Keys, 1981; a = -3/4), at distance `t` behind the second.
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
      const values = pick(x, inside(x0.add(i - 1), w).round(), inside(y0.add(j - 1), h).round());
      const part = values.mul(wx[i]!.mul(wy[j]!).unsqueeze(1));
      sum = sum === null ? part : sum.add(part);
    }
  return sum!;
}

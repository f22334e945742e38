// The entry point `@gradgate/core/aliases`: further names that PyTorch has for functions of core, and small functions that
// ported code calls. Importing it adds the methods among them to tensors, with their types.
import '../index.js';
import { named, ShapeError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import { type MethodsFrom, type MethodsOf, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import * as arithmetic from './arithmetic.js';
import * as dtypes from './dtypes.js';
import { type InPlaceForms, inPlaceForms } from './inPlace.js';
import { otherNames } from './names.js';
import { draws } from './random.js';
import * as scattering from './scatter.js';
import * as splitting from './split.js';

export {
  abs as absolute,
  acos as arccos,
  acosh as arccosh,
  asin as arcsin,
  asinh as arcsinh,
  asTensor as asarray,
  atan as arctan,
  atan2 as arctan2,
  atanh as arctanh,
  cat as concat,
  cat as concatenate,
  chunk as unsafeChunk,
  div as divide,
  div as trueDivide,
  expand as broadcastTo,
  flatten as ravel,
  ge as greaterEqual,
  gt as greater,
  le as lessEqual,
  lt as less,
  movedim as moveaxis,
  mul as multiply,
  ne as notEqual,
  neg as negative,
  outer as ger,
  pad as constantPadNd,
  split as splitWithSizes,
  split as unsafeSplit,
  sub as subtract,
  swapaxes as swapdims,
  trunc as fix,
  vstack as rowStack,
} from '../ops/index.js';
export * from './arithmetic.js';
export { convTbc } from './convTbc.js';
export * from './dtypes.js';
export * from './scatter.js';
export * from './split.js';

const ofArithmetic = {
  adjoint: arithmetic.adjoint,
  clampMax: arithmetic.clampMax,
  clampMin: arithmetic.clampMin,
  floatPower: arithmetic.floatPower,
  inner: arithmetic.inner,
  isreal: arithmetic.isreal,
  logaddexp2: arithmetic.logaddexp2,
  msort: arithmetic.msort,
  positive: arithmetic.positive,
  vdot: arithmetic.vdot,
};
const ofDTypes = {
  isFloatingPoint: dtypes.isFloatingPoint,
  isNonzero: dtypes.isNonzero,
  isSameSize: dtypes.isSameSize,
  isSigned: dtypes.isSigned,
};
const ofSplitting = {
  dsplit: splitting.dsplit,
  hsplit: splitting.hsplit,
  tensorSplit: splitting.tensorSplit,
  vsplit: splitting.vsplit,
};
const { diagflat, diagonalScatter, fillDiagonal_, indexPut, selectScatter, sliceScatter } = scattering;
const ofScattering = { diagflat, diagonalScatter, fillDiagonal_, indexPut, selectScatter, sliceScatter };
const own = {
  /** The number of dimensions. */
  dim: (x: Tensor): number => x.ndim,
  /** The number of dimensions. */
  ndimension: (x: Tensor): number => x.ndim,
  /** The number of elements. */
  nelement: (x: Tensor): number => x.numel,
};
for (const table of [ofArithmetic, ofDTypes, ofSplitting, ofScattering, own, inPlaceForms, draws])
  methods(table as Parameters<typeof methods>[0]);

const prototype = Tensor.prototype as unknown as Record<string, (this: Tensor, ...args: unknown[]) => unknown>;
for (const [name, known] of Object.entries(otherNames)) {
  const method = prototype[known]!;
  methods({ [name]: (x: Tensor, ...args: unknown[]) => method.apply(x, args) });
}

const ofMatrices = named('mH', arithmetic.adjoint);
const ofOneMatrix = named(
  'H',
  (x: Tensor): Tensor => {
    if (x.ndim !== 2) throw new ShapeError('H', `takes a matrix, got ${formatShape(x.shape)}; use mH`);
    return arithmetic.adjoint(x);
  },
  checkTensors,
);
const transposes = {
  get mH(): Tensor {
    return ofMatrices(this as never);
  },
  get H(): Tensor {
    return ofOneMatrix(this as never);
  },
};
Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(transposes));

type Renamed = { [K in keyof typeof otherNames]: Tensor[(typeof otherNames)[K]] };

declare module '../tensor/tensor.js' {
  interface Tensor
    extends Renamed,
      MethodsFrom<typeof arithmetic, typeof ofArithmetic>,
      MethodsFrom<typeof dtypes, typeof ofDTypes>,
      MethodsFrom<typeof splitting, typeof ofSplitting>,
      MethodsFrom<typeof scattering, typeof ofScattering>,
      MethodsOf<typeof own>,
      MethodsOf<typeof draws>,
      InPlaceForms {
    /** The transpose of matrices `[..., m, n]`, conjugated if they are complex. */
    readonly mH: Tensor;
    /** The same of a single matrix. */
    readonly H: Tensor;
  }
}

import { celu, elu, hardtanh, leakyRelu, selu } from '../ops/activation.js';
import { heaviside } from '../ops/arithmetic.js';
import { withInPlace } from '../ops/define.js';
import { eq, ge, gt, le, lt, ne } from '../ops/relational.js';
import { logit, polygamma } from '../ops/special.js';
import { atan2 } from '../ops/trigonometric.js';
import type { InPlaceOf } from '../tensor/methods.js';
import { clampMax, clampMin } from './arithmetic.js';

/** What has an in-place form here. Comparisons write 1 and 0 in the dtype of the tensor. */
const functions = {
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  notEqual: ne,
  less: lt,
  lessEqual: le,
  greater: gt,
  greaterEqual: ge,
  arctan2: atan2,
  heaviside,
  logit,
  polygamma,
  clampMax,
  clampMin,
  celu,
  elu,
  hardtanh,
  leakyRelu,
  selu,
};

/** The in-place forms as methods. */
export const inPlaceForms = withInPlace(functions);
for (const name of Object.keys(functions)) delete inPlaceForms[name];

export type InPlaceForms = InPlaceOf<typeof functions>;

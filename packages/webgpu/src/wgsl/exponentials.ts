import { sums } from './sums.js';

interface Row {
  /** WGSL of its element `j`. */
  readonly element: string;
  /** The number of its elements. */
  readonly end?: string;
  /** Whether `top` is 0 where it is infinite: subtracting it would subtract two infinities. */
  readonly isFinite?: boolean;
}

/**
 * WGSL that declares `top`, the largest element of a workgroup's row, and `sum`, that of the exponentials of its
 * elements less `top`. The largest ignores NaN, which makes the sum NaN anyway.
 */
export const exponentials = ({ element, end = 'u.n', isFinite = false }: Row): string => `var most = -infinity();
for (var j = lane; j < ${end}; j += 64u) { let v = ${element}; if (v > most) { most = v; } }
var top = group_max(lane, most);
${isFinite ? 'if (is_infinite(top)) { top = 0.0; }' : ''}
${sums({ index: 'j', end, of: { part: `exp_of(${element} - top)` } })}
let sum = group_sum(lane, part);`;

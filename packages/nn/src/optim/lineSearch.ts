/** A loss and its gradient at one point. */
export interface Point {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A point on the line, with its distance from the start and the slope along the line. */
export interface Tried extends Point {
  readonly slope: number;
  readonly length: number;
}

/** The largest number of probes and the smallest interval, as in PyTorch. */
const [maxProbes, smallestChange] = [25, 1e-9];
const [decrease, flatten] = [1e-4, 0.9];

/**
 * Searches along a line for a step that satisfies the strong Wolfe conditions, enough decrease and a flat enough slope
 * (Nocedal and Wright, 2006, algorithms 3.5 and 3.6). It makes the same choices as PyTorch, so that paths are equal.
 * `reach` is the largest change of a parameter by a step of length 1.
 */
export function strongWolfe(
  start: Point,
  startSlope: number,
  firstLength: number,
  reach: number,
  at: (length: number) => Point & { slope: number },
): Tried {
  const origin: Tried = { ...start, slope: startSlope, length: 0 };
  const probe = (length: number): Tried => ({ ...at(length), length });
  const tooHigh = (p: Tried) => !(p.value <= start.value + decrease * p.length * startSlope);
  const flat = (p: Tried) => Math.abs(p.slope) <= -flatten * startSlope;

  // Extend the step until a good length lies between the last two.
  let before = origin;
  let here = probe(firstLength);
  let probes = 0;
  for (; probes < maxProbes; probes++) {
    if (tooHigh(here) || (probes > 1 && here.value >= before.value)) break;
    if (flat(here)) return here;
    if (here.slope >= 0) break;
    const longest = here.length * 10;
    const next = minimumOfCubic(before, here, here.length + 0.01 * (here.length - before.length), longest);
    before = here;
    here = probe(next);
  }
  if (probes === maxProbes) before = origin;
  return zoom([before, here], maxProbes - probes, reach, probe, tooHigh, flat);
}

/** Shrinks a bracket until a point in it is good; returns the best one. */
function zoom(
  [before, here]: readonly [Tried, Tried],
  budget: number,
  reach: number,
  probe: (length: number) => Tried,
  tooHigh: (p: Tried) => boolean,
  flat: (p: Tried) => boolean,
): Tried {
  // `low` has the lower loss; a good length lies between it and `high`.
  let [low, high] = before.value <= here.value ? [before, here] : [here, before];
  let stuck = false;
  for (let left = budget; left > 0; left--) {
    const [from, to] = low.length < high.length ? [low.length, high.length] : [high.length, low.length];
    if ((to - from) * reach < smallestChange) break;
    let length: number = minimumOfCubic(low, high, from, to);
    // If a length is at an end, or near one twice, move it a tenth inside: otherwise the bracket would hardly shrink.
    const margin = 0.1 * (to - from);
    const nearEnd = Math.min(to - length, length - from) < margin;
    const moved: boolean = nearEnd && (stuck || length >= to || length <= from);
    if (moved) length = Math.abs(length - to) < Math.abs(length - from) ? to - margin : from + margin;
    stuck = nearEnd && !moved;
    const next: Tried = probe(length);
    if (tooHigh(next) || next.value >= low.value) {
      high = next;
      if (high.value < low.value) [low, high] = [high, low];
    } else {
      if (flat(next)) return next;
      if (next.slope * (high.length - low.length) >= 0) high = low;
      low = next;
    }
  }
  return low;
}

/** The minimum, within [from, to], of the cubic through two points with their slopes. */
function minimumOfCubic(p: Tried, q: Tried, from: number, to: number): number {
  const d1 = p.slope + q.slope - (3 * (p.value - q.value)) / (p.length - q.length);
  const square = d1 * d1 - p.slope * q.slope;
  const middle = (from + to) / 2;
  if (!(square >= 0)) return middle;
  const d2 = Math.sign(q.length - p.length) * Math.sqrt(square);
  const at = q.length - (q.length - p.length) * ((q.slope + d2 - d1) / (q.slope - p.slope + 2 * d2));
  return Number.isFinite(at) ? Math.min(Math.max(at, from), to) : middle;
}

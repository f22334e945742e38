/** A loss and its gradient at one place. */
export interface Point {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A point on the line, with the slope along it. */
export interface Tried extends Point {
  readonly slope: number;
  readonly length: number;
}

/**
 * A step along a line that lowers the loss enough and flattens its slope enough: the strong Wolfe conditions (Nocedal
 * and Wright, 2006, algorithms 3.5 and 3.6). Gives the best point found within `budget` calls of `at`.
 */
export function strongWolfe(
  start: Point,
  startSlope: number,
  firstLength: number,
  budget: number,
  at: (length: number) => Point & { slope: number },
): Tried {
  const [decrease, flatten] = [1e-4, 0.9];
  const origin: Tried = { ...start, slope: startSlope, length: 0 };
  let left = Math.max(1, Math.min(25, budget));
  const probe = (length: number): Tried => {
    left--;
    return { ...at(length), length };
  };
  const tooHigh = (p: Tried) => !(p.value <= start.value + decrease * p.length * startSlope);
  const flat = (p: Tried) => Math.abs(p.slope) <= -flatten * startSlope;

  // Longer and longer, until a good length lies between the last two.
  let before = origin;
  let here = probe(firstLength);
  let bracket: [Tried, Tried] | null = null;
  for (let n = 0; bracket === null; n++) {
    if (tooHigh(here) || (n > 0 && here.value >= before.value)) bracket = [before, here];
    else if (flat(here)) return here;
    else if (here.slope >= 0) bracket = [here, before];
    else if (left <= 0) return here;
    else {
      const longest = here.length * 10;
      const next = minimumOfCubic(before, here, here.length + 0.01 * (here.length - before.length), longest);
      before = here;
      here = probe(next);
    }
  }
  // `low` has the lower loss; a good length lies towards `high`.
  let [low, high] = bracket;
  while (left > 0) {
    const [a, b] = low.length < high.length ? [low, high] : [high, low];
    const width = b.length - a.length;
    if (width * Math.abs(startSlope) < 1e-9) break;
    // Well inside: at an end the bracket would not shrink.
    const next = probe(minimumOfCubic(low, high, a.length + 0.1 * width, b.length - 0.1 * width));
    if (tooHigh(next) || next.value >= low.value) high = next;
    else {
      if (flat(next)) return next;
      if (next.slope * (high.length - low.length) >= 0) high = low;
      low = next;
    }
  }
  return low;
}

/** Where the cubic through two points and their slopes is lowest, within [from, to]. */
function minimumOfCubic(p: Tried, q: Tried, from: number, to: number): number {
  const d1 = p.slope + q.slope - (3 * (p.value - q.value)) / (p.length - q.length);
  const square = d1 * d1 - p.slope * q.slope;
  const middle = (from + to) / 2;
  if (!(square >= 0)) return middle;
  const d2 = Math.sign(q.length - p.length) * Math.sqrt(square);
  const at = q.length - (q.length - p.length) * ((q.slope + d2 - d1) / (q.slope - p.slope + 2 * d2));
  return Number.isFinite(at) ? Math.min(Math.max(at, from), to) : middle;
}

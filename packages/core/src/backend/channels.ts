import type { TypedArray } from '../memory/dtype.js';

/** `[batch, channels, inner]`. A group is several channels of one sample, or one channel of the whole batch. */
export interface Channels {
  readonly batch: number;
  readonly channels: number;
  readonly inner: number;
  /** How many channels of a sample form a group; 0 for one channel of all samples. */
  readonly together: number;
}

/** The group of each row (a row is a channel of a sample), and the number of groups. */
export interface Groups {
  readonly count: number;
  readonly of: Int32Array;
}

export function groupsOf({ batch, channels, together }: Channels): Groups {
  const of = new Int32Array(batch * channels);
  if (together === 0) for (let r = 0, c = 0; r < of.length; r++, c = c + 1 === channels ? 0 : c + 1) of[r] = c;
  else for (let r = 0; r < of.length; r++) of[r] = Math.floor(r / together);
  return { count: together === 0 ? channels : of.length / together, of };
}

/** The sums that the gradients of a normalization consist of. */
interface ChannelSums {
  /** For each group, the sums of `g weight` and of `g weight (x - mean)`. */
  readonly totals: Float64Array;
  readonly slopes: Float64Array;
  /** For each channel, the sums of `g y` and of `g`. */
  readonly weights: Float64Array;
  readonly biases: Float64Array;
}

/** Adds up `products`: for each row the sum of `g` and that of `g (x - mean)`, one after the other. */
export function sumChannels(
  products: Float64Array,
  { count, of }: Groups,
  channels: number,
  weight: TypedArray | null,
  scales: Float64Array,
): ChannelSums {
  const [totals, slopes] = [new Float64Array(count), new Float64Array(count)];
  const [weights, biases] = [new Float64Array(channels), new Float64Array(channels)];
  for (let r = 0, c = 0; r < of.length; r++, c = c + 1 === channels ? 0 : c + 1) {
    const group = of[r]!;
    const total = products[2 * r]!;
    const product = products[2 * r + 1]!;
    const w = weight === null ? 1 : weight[c]!;
    biases[c]! += total;
    weights[c]! += product * scales[group]!;
    totals[group]! += w * total;
    slopes[group]! += w * product;
  }
  return { totals, slopes, weights, biases };
}

import { tensor, zeros } from '@gradgate/core';
import { allReduce, gather } from './collectives.js';
import type { Group } from './world.js';

/** Collects byte arrays of any lengths from all ranks in rank `root`; null in the others. */
export function gatherBytes(bytes: Uint8Array, root: number, group: Group): Uint8Array[] | null {
  const lengths = new BigInt64Array(group.size);
  lengths[group.rank] = BigInt(bytes.length);
  const all = allReduce(tensor(lengths), { group }).toBigInt64Array();
  const longest = all.reduce((a, b) => (a > b ? a : b));
  const padded = zeros([Number(longest)], { dtype: 'uint8' });
  padded.narrow(0, 0, bytes.length).copy_(tensor(bytes));
  return (
    gather(padded, { root, group })?.map((t, i) => t.toTypedArray().subarray(0, Number(all[i])) as Uint8Array) ?? null
  );
}

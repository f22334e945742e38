import type { View } from '../backend.js';
import { rowsAlong } from '../rows.js';
import { keysFor, sortLine } from './argsort.js';
import { dataOf, exactElementsOf } from './data.js';

/** `Kernels.mode` for any dtype: the longest run of equal elements in order. */
export function mode(x: View, dim: number, out: View): void {
  const data = exactElementsOf(x);
  const to = dataOf(out);
  const { n, inner } = rowsAlong(x.shape, dim);
  const keys = keysFor(x, n);
  const [order, spare] = [new Int32Array(n), new Int32Array(n)];
  let line = 0;
  for (let block = 0; block < data.length; block += n * inner)
    for (let start = block; start < block + inner; start++) {
      for (let i = 0, p = start; i < n; i++, p += inner) keys[i] = data[p]!;
      const sorted = sortLine(keys, false, order, spare);
      let [run, longest] = [0, 0];
      for (let i = 0; i < n; i++) {
        run = i > 0 && keys[sorted[i]!] === keys[sorted[i - 1]!] ? run + 1 : 1;
        if (run <= longest) continue;
        longest = run;
        to[line] = sorted[i]!;
      }
      line++;
    }
}

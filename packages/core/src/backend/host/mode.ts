import type { View } from '../kernels.js';
import { eachSorted } from './argsort.js';
import { dataOf } from './data.js';

/** `Kernels.mode` for any dtype: the longest run of equal elements in order. */
export function mode(x: View, dim: number, out: View): void {
  const to = dataOf(out);
  let line = 0;
  eachSorted(x, dim, false, (keys, sorted) => {
    let [run, longest] = [0, 0];
    for (let i = 0; i < sorted.length; i++) {
      run = i > 0 && keys[sorted[i]!] === keys[sorted[i - 1]!] ? run + 1 : 1;
      if (run <= longest) continue;
      longest = run;
      to[line] = sorted[i]!;
    }
    line++;
  });
}

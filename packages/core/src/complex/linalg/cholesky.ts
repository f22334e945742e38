/** Writes the lower triangular `L` with `A = L Lᴴ`; reads the lower triangle of A, and the real parts of its diagonal. */
export function cholesky(a: Float64Array, l: Float64Array, n: number, refused: () => Error): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const at = 2 * (i * n + j);
      let [re, im] = [a[at]!, i === j ? 0 : a[at + 1]!];
      for (let k = 0; k < j; k++) {
        const [p, q] = [2 * (i * n + k), 2 * (j * n + k)];
        re -= l[p]! * l[q]! + l[p + 1]! * l[q + 1]!;
        if (i !== j) im -= l[p + 1]! * l[q]! - l[p]! * l[q + 1]!;
      }
      if (i !== j) {
        const d = l[2 * (j * n + j)]!;
        l[at] = re / d;
        l[at + 1] = im / d;
      } else if (re > 0 || Number.isNaN(re)) l[at] = Math.sqrt(re);
      else throw refused();
    }
}

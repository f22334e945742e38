// Building blocks of programs that decompose matrices. Each thread has one contiguous matrix.

export interface Decomposition {
  /** Names of the inputs, of the outputs, and of the rule's numbers, such as `u.m`. */
  readonly inputs: readonly string[];
  readonly outs: readonly string[];
  readonly numbers: readonly string[];
  /** Scratch memory: elements for each matrix, given its numbers and the sizes of its results. */
  readonly scratch?: (numbers: readonly number[], outs: readonly number[]) => Readonly<Record<string, number>>;
  /** Whether all results are NaN if an element is not finite. */
  readonly isOfFinite: boolean;
  /** WGSL: in each buffer the matrix starts at `at_name` and has `u.name_n` elements. */
  readonly body: string;
}

/** Rotates rows `p` and `q` of a matrix of `width` columns, by cosine `c` and sine `s`. */
export const rotate = (name: string, width: string): string => `for (var k = 0u; k < ${width}; k++) {
        let a = ${name}[at_${name} + p * ${width} + k];
        let b = ${name}[at_${name} + q * ${width} + k];
        ${name}[at_${name} + p * ${width} + k] = c * a - s * b;
        ${name}[at_${name} + q * ${width} + k] = s * a + c * b;
      }`;

/** Exchanges rows `p` and `q`. */
export const swapRows = (name: string, width: string): string => `for (var k = 0u; k < ${width}; k++) {
      let kept = ${name}[at_${name} + p * ${width} + k];
      ${name}[at_${name} + p * ${width} + k] = ${name}[at_${name} + q * ${width} + k];
      ${name}[at_${name} + q * ${width} + k] = kept;
    }`;

interface Elimination {
  readonly rows: string;
  readonly chosen?: string;
  readonly swapped?: string;
}

/**
 * LU decomposition with partial pivoting of `lu`, of so many rows and `u.n` columns, in place. For each column `d`,
 * `chosen` runs once the pivot's row `q` is known, and `swapped` where the rows `p` and `q` are swapped.
 */
export const eliminate = ({
  rows,
  chosen = '',
  swapped = '',
}: Elimination): string => `for (var d = 0u; d < min(${rows}, u.n); d++) {
  let p = d;
  var q = d;
  for (var r = d + 1u; r < ${rows}; r++) { if (abs(lu[at_lu + r * u.n + d]) > abs(lu[at_lu + q * u.n + d])) { q = r; } }
  ${chosen}
  if (p != q) {
    ${swapRows('lu', 'u.n')}
    ${swapped}
  }
  let pivot = lu[at_lu + d * u.n + d];
  if (pivot == 0.0) { continue; }
  for (var r = d + 1u; r < ${rows}; r++) {
    let f = lu[at_lu + r * u.n + d] / pivot;
    lu[at_lu + r * u.n + d] = f;
    for (var c = d + 1u; c < u.n; c++) { lu[at_lu + r * u.n + c] -= f * lu[at_lu + d * u.n + c]; }
  }
}`;

/** Sets `[n, n]` to the identity matrix. */
export const identity = (name: string): string =>
  `for (var e = 0u; e < u.n * u.n; e++) { ${name}[at_${name} + e] = select(0.0, 1.0, e / u.n == e % u.n); }`;

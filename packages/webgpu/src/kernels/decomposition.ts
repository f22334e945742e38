// What programs that decompose matrices are made of: each thread has a matrix of its own, whose rows lie one behind the other.

export interface Decomposition {
  /** Names of what it reads, of what it writes, and of the numbers of the rule: `u.m` and the like. */
  readonly inputs: readonly string[];
  readonly outs: readonly string[];
  readonly numbers: readonly string[];
  /** Memory beside that: elements for each matrix, given its numbers and how many elements of each result it has. */
  readonly scratch?: (numbers: readonly number[], outs: readonly number[]) => Readonly<Record<string, number>>;
  /** Whether all results are NaN where an element is not finite. */
  readonly isOfFinite: boolean;
  /** WGSL: the matrix's elements begin at `at_name` in each of these, and there are `u.name_n` of them. */
  readonly body: string;
}

/** The turn by `c` and `s` of rows `p` and `q` of a matrix of so many columns. */
export const rotate = (name: string, width: string): string => `for (var k = 0u; k < ${width}; k++) {
        let a = ${name}[at_${name} + p * ${width} + k];
        let b = ${name}[at_${name} + q * ${width} + k];
        ${name}[at_${name} + p * ${width} + k] = c * a - s * b;
        ${name}[at_${name} + q * ${width} + k] = s * a + c * b;
      }`;

/** Exchanges rows `p` and `q`. */
export const exchange = (name: string, width: string): string => `for (var k = 0u; k < ${width}; k++) {
      let kept = ${name}[at_${name} + p * ${width} + k];
      ${name}[at_${name} + p * ${width} + k] = ${name}[at_${name} + q * ${width} + k];
      ${name}[at_${name} + q * ${width} + k] = kept;
    }`;

/** Makes `[n, n]` the unit matrix. */
export const unit = (name: string): string =>
  `for (var e = 0u; e < u.n * u.n; e++) { ${name}[at_${name} + e] = select(0.0, 1.0, e / u.n == e % u.n); }`;

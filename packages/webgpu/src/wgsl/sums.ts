interface Sums {
  /** The name of the index; each thread takes every 64th, from `lane` up to `end`. */
  readonly index: string;
  readonly end: string;
  /** What is known at each index before it is added. */
  readonly each?: string;
  /** The variables, and what is added to them. */
  readonly of: Readonly<Record<string, string>>;
}

/**
 * WGSL that declares variables as a thread's share of sums. 64 elements are added up before they are added to others:
 * the error of a sum grows with how many are added one after the other.
 */
export function sums({ index, end, each = '', of }: Sums): string {
  const all = Object.entries(of);
  const lines = (line: (name: string, value: string) => string) => all.map(([name, v]) => line(name, v)).join('\n');
  return `${lines((name) => `var ${name} = 0.0;`)}
for (var from_${index} = lane; from_${index} < ${end}; from_${index} += 4096u) {
${lines((name) => `  var few_${name} = 0.0;`)}
  for (var ${index} = from_${index}; ${index} < min(${end}, from_${index} + 4096u); ${index} += 64u) {
    ${each}
${lines((name, value) => `    few_${name} += ${value};`)}
  }
${lines((name) => `  ${name} += few_${name};`)}
}`;
}

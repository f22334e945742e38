import { check, checkOptions, is, type Kind, type Schema } from '@gradgate/core/internal';

/**
 * What layers with parameters check of their constructors' arguments, in their own names: `sizes` by name, which are whole
 * numbers from 0 up or of `kind`, and the options, which it gives.
 */
export function checkLayer<O extends object>(
  name: string,
  sizes: Readonly<Record<string, unknown>>,
  options: O | undefined,
  known: Schema<O>,
  kind: Kind = is.size,
): Partial<O> & O {
  for (const size in sizes) check(name, size, sizes[size], kind);
  return checkOptions(name, options, known);
}

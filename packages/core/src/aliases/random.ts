import { filler } from '../ops/random.js';

/** Methods that draw each element anew, in place. */
export const draws = {
  /** Of a Cauchy distribution: its median, 0 by default, and its half width at half maximum, 1 by default. */
  cauchy_: filler('cauchy_', {
    defaults: [0, 1],
    check: (_, sigma) => !(sigma! > 0) && `sigma must be above 0, got ${sigma}`,
    next: (generator, median, sigma) => median + sigma * Math.tan(Math.PI * (generator.uniform() - 0.5)),
  }),
  /** Numbers whose logarithms are normal: with this mean, 1 by default, and standard deviation, 2 by default. */
  logNormal_: filler('logNormal_', {
    defaults: [1, 2],
    check: (_, std) => !(std! >= 0) && `std must be 0 or more, got ${std}`,
    next: (generator, mean, std) => Math.exp(mean + std * generator.normal()),
  }),
  /** How many trials of this probability, 1 / 2 by default, it takes to succeed: 1 or more. */
  geometric_: filler('geometric_', {
    defaults: [0.5],
    check: (p) => !(p! > 0 && p! < 1) && `p must be between 0 and 1, got ${p}`,
    next: (generator, p) => Math.max(1, Math.ceil(Math.log1p(-generator.uniform()) / Math.log1p(-p))),
    integers: true,
  }),
};

// The entry point `@gradgate/core/more`: functions of `torch` that few programs need.
import '../index.js';

export { betainc, betaincinv } from './beta.js';
export { type CdistOptions, cdist } from './distances.js';
export { frexp, ldexp, nextafter } from './floats.js';
export { histogram, histogramdd } from './histogram.js';
export { cumulativeTrapezoid, type TrapezoidOptions, trapezoid } from './integral.js';
export { nanquantile, renorm } from './lines.js';
export { indexReduce, type ReduceOptions, scatterReduce } from './reduceBy.js';
export { indexAdd, round } from './withOptions.js';

import { openLibrary } from '../../packages/openblas/dist/library.js';
import { productCases } from './names.mjs';

/** The same call as @gradgate/openblas makes, without overhead: a lower bound for our kernel. */
const library = openLibrary();
if (!library) throw new Error('there is no OpenBLAS');
library.setThreads(1);
export const version = '';

const [rowMajor, noTrans, trans] = [101, 111, 112];
const randoms = (n) => Float32Array.from({ length: n }, () => Math.random() - 0.5);

export const cases = productCases((m, k, n, ta, tb) => {
  const [a, b, c] = [randoms(m * k), randoms(k * n), new Float32Array(m * n)];
  const [opA, opB] = [ta ? trans : noTrans, tb ? trans : noTrans];
  const [lda, ldb] = [ta ? m : k, tb ? k : n];
  return () => library.sgemm(rowMajor, opA, opB, m, n, k, 1, a, lda, b, ldb, 0, c, n);
});

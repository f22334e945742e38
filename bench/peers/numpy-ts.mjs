import { load } from './load.mjs';
import { kept, productCases, sizedCases } from './names.mjs';

const np = await load('numpy-ts');
// Its default memory is too small for arrays of 1e7 numbers.
np.configureWasm({ maxMemory: 2 ** 30 });
export const version = '1.7.0';

const randn = (...shape) => {
  const x = np.random.standard_normal(shape);
  const y = x.astype('float32');
  x.dispose();
  return y;
};
/** Results are disposed of as its documentation advises: they are in memory that the garbage collector does not see. */
const disposing = (f) => () => f().dispose();
const x = kept((n) => randn(n));
const y = kept((n) => randn(n));
const unary = (f) => (n) => {
  const a = x(n);
  return disposing(() => f(a));
};

export const cases = {
  ...productCases((m, k, n, ta, tb) => {
    const a = ta ? randn(k, m).T : randn(m, k);
    const b = tb ? randn(n, k).T : randn(k, n);
    return disposing(() => np.matmul(a, b));
  }),
  ...sizedCases({
    add: (n) => {
      const [a, b] = [x(n), y(n)];
      return disposing(() => np.add(a, b));
    },
    exp: unary(np.exp),
    tanh: unary(np.tanh),
    sum: (n) => {
      const a = x(n);
      return () => np.sum(a);
    },
  }),
  'max 1000x100, rows': () => {
    const x = randn(1000, 100);
    return disposing(() => np.max(x, 1));
  },
};

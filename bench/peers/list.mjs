import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';
import { faster, start, startModule } from './process.mjs';

const python = process.env.PYTHON ?? 'python3';
const threads = (own, blas = own) => ({ OMP_NUM_THREADS: `${own}`, OPENBLAS_NUM_THREADS: `${blas}` });

const ours = (n, env) => (id) => startModule(id, 'gradgate', { ...threads(1), GRADGATE_BENCH_THREADS: `${n}`, ...env });
const installed = (packages) => (id) => {
  const folder = install(packages);
  return folder && startModule(id, id, { ...threads(1), PEERS: folder });
};
/** PyTorch with this many threads of its own, and of OpenBLAS. */
const pytorch = (own, blas) => (id) =>
  start({
    id,
    command: python,
    args: [fileURLToPath(new URL('pytorch.py', import.meta.url))],
    env: { ...threads(own, blas), PYTORCH_BENCH_THREADS: `${own}` },
  });
/** If both use two, they compete for the cores: a step of 600 microseconds then takes up to 20,000. */
const pytorchOnTwo = async (id) => {
  const own = await pytorch(2, 1)(id);
  return own && faster(own, await pytorch(1, 2)(id));
};

/**
 * What `--peers` can name: the column's title, the library whose version is shown, and how it is started. The others are
 * compared with the first.
 */
export const peers = {
  gradgate: { title: 'gradgate', library: 'gradgate', start: ours(1) },
  'gradgate-2': { title: 'gradgate, 2 threads', library: 'gradgate', start: ours(2) },
  'gradgate-openblas': {
    title: 'gradgate with OpenBLAS',
    library: 'gradgate',
    start: ours(1, { GRADGATE_BENCH_OPENBLAS: '1' }),
  },
  'gradgate-native': {
    title: 'gradgate, native kernels',
    library: 'gradgate',
    start: ours(1, { GRADGATE_BENCH_NATIVE: '1' }),
  },
  'gradgate-tidy': {
    title: 'gradgate, tidy',
    library: 'gradgate',
    start: ours(1, { GRADGATE_BENCH_AROUND: 'tidy' }),
  },
  'gradgate-compiled': {
    title: 'gradgate, compiled',
    library: 'gradgate',
    start: ours(1, { GRADGATE_BENCH_AROUND: 'compile' }),
  },
  'gradgate-native-tidy': {
    title: 'gradgate, native kernels, tidy',
    library: 'gradgate',
    start: ours(1, { GRADGATE_BENCH_NATIVE: '1', GRADGATE_BENCH_AROUND: 'tidy' }),
  },
  'gradgate-native-compiled': {
    title: 'gradgate, native kernels, compiled',
    library: 'gradgate',
    start: ours(1, { GRADGATE_BENCH_NATIVE: '1', GRADGATE_BENCH_AROUND: 'compile' }),
  },
  'tfjs-wasm': { title: 'TensorFlow.js wasm', library: 'TensorFlow.js', start: installed('tfjs') },
  'tfjs-cpu': { title: 'TensorFlow.js cpu', library: 'TensorFlow.js', start: installed('tfjs') },
  'jax-js': { title: 'jax-js', library: 'jax-js', start: installed('jax-js') },
  'numpy-ts': { title: 'numpy-ts', library: 'numpy-ts', start: installed('numpy-ts') },
  'js-pytorch': { title: 'js-pytorch', library: 'js-pytorch', start: installed('js-pytorch') },
  pytorch: { title: 'PyTorch', library: 'PyTorch', start: pytorch(1, 1) },
  'pytorch-2': { title: 'PyTorch, 2 threads', library: 'PyTorch', start: pytorchOnTwo },
  openblas: { title: 'OpenBLAS', start: (id) => startModule(id, 'openblas', threads(1)) },
  peak: { title: 'FMA peak', start: (id) => startModule(id, 'peak') },
};

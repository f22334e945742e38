import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';
import { start, startModule } from './process.mjs';

const python = process.env.PYTHON ?? 'python3';
/** OpenMP's threads wait asleep: awake they would take the cores from those of OpenBLAS, and PyTorch has both. */
const threads = (n) => ({ OMP_NUM_THREADS: `${n}`, OPENBLAS_NUM_THREADS: `${n}`, OMP_WAIT_POLICY: 'passive' });

const ours = (n, env) => (id) => startModule(id, 'gradgate', { ...threads(1), GRADGATE_BENCH_THREADS: `${n}`, ...env });
const installed = (packages) => (id) => {
  const folder = install(packages);
  return folder && startModule(id, id, { ...threads(1), PEERS: folder });
};
const pytorch = (n) => (id) =>
  start({
    id,
    command: python,
    args: [fileURLToPath(new URL('pytorch.py', import.meta.url))],
    env: { ...threads(n), PYTORCH_BENCH_THREADS: `${n}` },
  });

/**
 * What `--peers` can name: the title of the column, the library whose version is told, and what starts it. The first is
 * what others are compared with.
 */
export const peers = {
  gradgate: { title: 'gradgate', library: 'gradgate', start: ours(1) },
  'gradgate-2': { title: '2 threads', library: 'gradgate', start: ours(2) },
  'gradgate-openblas': {
    title: 'with OpenBLAS',
    library: 'gradgate',
    start: ours(1, { GRADGATE_BENCH_OPENBLAS: '1' }),
  },
  'tfjs-wasm': { title: 'TensorFlow.js wasm', library: 'TensorFlow.js', start: installed('tfjs') },
  'tfjs-cpu': { title: 'TensorFlow.js cpu', library: 'TensorFlow.js', start: installed('tfjs') },
  'jax-js': { title: 'jax-js', library: 'jax-js', start: installed('jax-js') },
  'numpy-ts': { title: 'numpy-ts', library: 'numpy-ts', start: installed('numpy-ts') },
  'js-pytorch': { title: 'js-pytorch', library: 'js-pytorch', start: installed('js-pytorch') },
  pytorch: { title: 'PyTorch', library: 'PyTorch', start: pytorch(1) },
  'pytorch-2': { title: 'PyTorch, 2 threads', library: 'PyTorch', start: pytorch(2) },
  openblas: { title: 'OpenBLAS', start: (id) => startModule(id, 'openblas', threads(1)) },
  peak: { title: 'FMA peak', start: (id) => startModule(id, 'peak') },
};

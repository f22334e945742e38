import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { install } from '../peers/install.mjs';

// The cases of bench/peers as modules for a page or for Node, run on the GPU and bundled with all that they import.

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = readFileSync(join(root, 'packages/core/package.json'), 'utf8');

/** The file with a library's cases, how they wait for the GPU, and what they get from where the library is loaded. */
const sources = {
  gradgate: {
    cases: 'gradgate',
    done: `import { ones, setDefaultDevice } from './packages/core/dist/index.js';
import { device } from './packages/webgpu/dist/index.js';
setDefaultDevice(await device('webgpu'));
const one = ones([1]);
export const done = () => one.add(1).itemAsync();`,
  },
  'tfjs-webgpu': {
    cases: 'tfjs',
    packages: 'tfjs-webgpu',
    load: `import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
if (!(await tf.setBackend('webgpu'))) throw new Error('it opens no WebGPU here');
export const require = () => tf;`,
    done: `import { tf } from './bench/peers/tfjs.mjs';
export const done = () => {
  const gpu = tf.backend();
  gpu.endComputePassEncoder();
  if (gpu.commandEncoder) gpu.submitQueue();
  return gpu.queue.onSubmittedWorkDone();
};`,
  },
  'jax-js': {
    cases: 'jax-js',
    packages: 'jax-js',
    load: `import * as jax from '@jax-js/jax';
await jax.init('webgpu');
export const load = () => ({ ...jax, init() {}, defaultDevice: () => jax.defaultDevice('webgpu') });`,
    // Its cases wait by themselves.
    done: 'export const done = () => {};',
  },
};
sources['gradgate-compiled'] = { ...sources.gradgate, around: 'compile' };

/** In Node the package `webgpu` provides what a browser has. */
const gpu = `if (!globalThis.navigator?.gpu) {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', {
    value: { userAgent: 'Node.js', platform: process.platform, gpu: create([]) },
    configurable: true,
  });
}`;

/** A case ends when the GPU has finished it; else queued calls would be timed. */
const entry = (cases) => `import 'bench:gpu';
import { done } from 'bench:done';
import { cases as all, version as own } from './bench/peers/${cases}.mjs';
export const version = own;
export const cases = Object.fromEntries(
  Object.entries(all).map(([name, make]) => [
    name,
    () => {
      const run = make();
      return async () => {
        await run();
        await done();
      };
    },
  ]),
);`;

/** Modules given as text, by import specifier. */
const texts = (all) => ({
  name: 'texts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(bench:.*|node:fs|util|\.\/load\.mjs)$/ }, ({ path }) =>
      path in all ? { path, namespace: 'text' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'text' }, ({ path }) => all[path]);
  },
});

/**
 * Bundles a library's module into a folder; returns false, after a line on standard error, if the library cannot be installed.
 */
export async function bundle(name, folder) {
  const { cases, packages, load, done, around } = sources[name];
  const installed = packages && install(packages);
  if (installed === null) return false;
  const own = { resolveDir: root };
  await build({
    stdin: { contents: entry(cases), resolveDir: root },
    outfile: join(folder, `${name}.mjs`),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
    external: ['webgpu', '../../packages/openblas/*', '../../packages/native/*'],
    define: { 'process.env': JSON.stringify(around ? { GRADGATE_BENCH_AROUND: around } : {}) },
    plugins: [
      texts({
        'bench:gpu': { contents: gpu, ...own },
        'bench:done': { contents: done, ...own },
        'node:fs': { contents: `export const readFileSync = () => ${JSON.stringify(manifest)};` },
        // What TensorFlow.js requires from Node.
        util: { contents: "module.exports = globalThis.process?.getBuiltinModule?.('util') ?? {};" },
        './load.mjs': { contents: load ?? '', resolveDir: installed },
      }),
    ],
  });
  return true;
}

/** The programs that time the cases of such modules. */
export function copyPrograms(folder) {
  for (const file of ['run.mjs', 'timing.mjs', 'median.mjs'])
    copyFileSync(join(root, 'bench/peers', file), join(folder, file));
}

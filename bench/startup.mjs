/**
 * How long an import takes: the time from the start of a new process to its end, minus that of an empty process.
 *
 *   node bench/startup.mjs        milliseconds, medians of 9 interleaved rounds
 *
 * Peers are those of bench/peers.mjs, which runs this too.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { factor, median, table } from './peers/figures.mjs';
import { install } from './peers/install.mjs';

const python = process.env.PYTHON ?? 'python3';
const node = (program) => [process.execPath, '--input-type=module', '-e', `${program}\nprocess.exit(0);`];
const built = (name) =>
  `await import(${JSON.stringify(new URL(`../packages/${name}/dist/index.js`, import.meta.url))});`;
const inPython = (program) => [python, '-c', `import os\n${program}\nos._exit(0)`];
const [emptyNode, emptyPython] = [node(''), inPython('')];

/** The title, the command, the empty process to subtract, and the packages it needs. */
const programs = [
  ['gradgate core', node(built('core')), emptyNode],
  ['gradgate core and nn', node(built('nn')), emptyNode],
  ['TensorFlow.js', node(`await import('@tensorflow/tfjs');`), emptyNode, 'tfjs'],
  ['jax-js', node(`await import('@jax-js/jax');`), emptyNode, 'jax-js'],
  ['numpy-ts', node(`await import('numpy-ts');`), emptyNode, 'numpy-ts'],
  ['js-pytorch', node(`await import('js-pytorch');`), emptyNode, 'js-pytorch'],
  ['PyTorch', inPython('import torch'), emptyPython],
];

/** Milliseconds from the start to the end of a process, or null where it fails. */
function time([command, ...args], cwd) {
  const start = performance.now();
  const { status } = spawnSync(command, args, { cwd, stdio: 'ignore' });
  return status === 0 ? performance.now() - start : null;
}

/** `{ title, ms }` of each program that can run here. */
export function startUpTimes(rounds) {
  const able = programs
    .map(([title, command, empty, peer]) => ({ title, command, empty, folder: peer ? install(peer) : '.', spent: [] }))
    // The first run also fills the system's file cache.
    .filter(({ folder, command }) => folder !== null && time(command, folder) !== null);
  for (let round = 0; round < rounds; round++) {
    const empty = new Map([emptyNode, emptyPython].map((command) => [command, time(command, '.')]));
    for (const program of able) program.spent.push(time(program.command, program.folder) - empty.get(program.empty));
  }
  return able.map(({ title, spent }) => ({ title, ms: median(spent) }));
}

export function startUpTable(times) {
  const [first] = times;
  return table(
    ['import of', 'milliseconds', `times ${first.title}'s`],
    times.map(({ title, ms }) => [title, ms.toFixed(0), factor(ms / first.ms)]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(startUpTable(startUpTimes(9)));

/**
 * gradgate beside its peers, one thread each, interleaved: `node bench/peers.mjs [--rounds 5] [--only TEXT] [--write]`
 *
 * TensorFlow.js (wasm) is installed into a temporary folder; PyTorch is timed if python3 (or what PYTHON names) has it;
 * OpenBLAS if the system has the library. Prints medians in microseconds and ratios, and with --write puts the table
 * into docs/performance.md. The last line is the machine's limit for products in WebAssembly: fused multiply-adds on
 * registers, nothing else.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
});
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A peer's process, asked a question at a time; null where it cannot start. */
async function start(name, command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
  child.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  const first = await next();
  if (!first?.startsWith('ready')) {
    console.error(`${name}: cannot be timed here`);
    return null;
  }
  return {
    name: `${name} ${first.slice(6)}`.trim(),
    async ask(question) {
      child.stdin.write(`${question}\n`);
      const answer = await next();
      if (answer?.startsWith('failed')) console.error(`${name}, ${question}: ${answer.slice(7)}`);
      return answer === undefined || Number.isNaN(Number(answer)) ? null : Number(answer);
    },
    stop: () => child.kill(),
  };
}

function install() {
  const folder = mkdtempSync(join(tmpdir(), 'gradgate-peers-'));
  writeFileSync(join(folder, 'package.json'), '{}');
  const packages = ['@tensorflow/tfjs@4', '@tensorflow/tfjs-backend-wasm@4', '--ignore-scripts'];
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', ...packages], {
    cwd: folder,
    stdio: 'ignore',
  });
  return folder;
}

const run = here('./peers/run.mjs');
const python = process.env.PYTHON ?? 'python3';
const peers = (
  await Promise.all([
    start('gradgate', process.execPath, [run, 'gradgate']),
    start('gradgate', process.execPath, [run, 'gradgate'], { GRADGATE_BENCH_OPENBLAS: '1', OPENBLAS_NUM_THREADS: '1' }),
    start('TensorFlow.js wasm', process.execPath, [run, 'tfjs-wasm'], { PEERS: install() }),
    start('PyTorch', python, [here('./peers/pytorch.py'), '1']),
  ])
).filter((p) => p !== null);

const { cases } = await import('./peers/gradgate.mjs');
const names = Object.keys(cases).filter((n) => n.includes(values.only));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const seen = Object.fromEntries(names.map((n) => [n, peers.map(() => [])]));
for (let round = 0; round < Number(values.rounds); round++)
  for (const name of names)
    for (const [i, peer] of peers.entries()) {
      const ms = await peer.ask(name);
      if (ms !== null) seen[name][i].push(ms);
    }
for (const peer of peers) peer.stop();

const microseconds = (ms) => (ms * 1000 >= 100 ? (ms * 1000).toFixed(0) : (ms * 1000).toPrecision(3));
const rows = names.map((name) => {
  const times = seen[name].map((list) => (list.length > 0 ? median(list) : null));
  const cells = times.map((t, i) =>
    t === null ? '' : i === 0 ? microseconds(t) : `${microseconds(t)} (${(t / times[0]).toFixed(2)})`,
  );
  return `| ${name} | ${cells.join(' | ')} |`;
});
const table = [
  `| microseconds (times gradgate's) | ${peers.map((p) => p.name).join(' | ')} |`,
  `|---|${peers.map(() => '---').join('|')}|`,
  ...rows,
].join('\n');
console.log(table);

// A module of one loop: twelve independent fused multiply-adds of four floats each.
const { peak } = await import('./peers/peak.mjs');
const limit = `The machine's limit for fused multiply-adds of 128 bits in that run: ${peak().toFixed(1)} GFLOP/s; a product of 512 ran at ${
  seen['product 512'] ? ((2 * 512 ** 3) / median(seen['product 512'][0]) / 1e6).toFixed(1) : '-'
}.`;
console.log(`\n${limit}`);
if (values.write) {
  const file = here('../docs/performance.md');
  const text = readFileSync(file, 'utf8');
  const [begin, end] = ['<!-- peers -->', '<!-- /peers -->'];
  if (!text.includes(begin)) throw new Error(`docs/performance.md has no ${begin}`);
  const [before, rest] = text.split(begin);
  writeFileSync(file, `${before}${begin}\n${table}\n\n${limit}\n${end}${rest.split(end)[1]}`);
}

/**
 * What grad control costs, in nanoseconds, as ratios to a bare AsyncLocalStorage.run and getStore in the same run:
 *
 *   node bench/grad.mjs            on this Node
 *   node bench/grad.mjs --all      on Node 20, 22 and 24, whose binaries npm fetches into a temporary folder
 *
 * Beside them PyTorch's no_grad, if python3 (or the program that PYTHON names) has torch.
 * Rounds of all cases are interleaved; the figure is the median of the rounds.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isGradEnabled, noGrad } from '../packages/core/dist/grad/index.js';

const self = fileURLToPath(import.meta.url);
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
let sink = 0;

/** Each case has its own loop: a shared one would be compiled for all cases and cost more than they do. */
const timer = () =>
  new Function(
    'fn',
    'n',
    'const start = process.hrtime.bigint(); for (let i = 0; i < n; i++) fn(i); return Number(process.hrtime.bigint() - start) / n;',
  );

function rounds(cases, { n = 200_000, count = 15 } = {}) {
  const seen = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  const timers = Object.fromEntries(Object.keys(cases).map((name) => [name, timer()]));
  for (const [name, fn] of Object.entries(cases)) timers[name](fn, n);
  for (let r = 0; r < count; r++) for (const [name, fn] of Object.entries(cases)) seen[name].push(timers[name](fn, n));
  return Object.fromEntries(Object.entries(seen).map(([name, values]) => [name, median(values)]));
}

async function promises(n = 200_000) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < n; i++) await null;
  return Number(process.hrtime.bigint() - start) / n;
}

async function measure() {
  const body = (i) => {
    sink += i;
  };
  const awaitsBefore = [];
  for (let i = 0; i < 7; i++) awaitsBefore.push(await promises());
  const before = rounds({
    'query before the first frame': () => {
      if (!isGradEnabled()) sink++;
    },
    'plain call': body,
  });

  const als = new AsyncLocalStorage();
  let flag = true;
  class Model {
    m(i) {
      sink += i;
    }
  }
  Model.prototype.guarded = noGrad.wrap(Model.prototype.m);
  const model = new Model();
  const frame = {};
  noGrad.run(() => {});
  const after = als.run(frame, () =>
    rounds({
      'flag with try/finally': (i) => {
        const saved = flag;
        flag = false;
        try {
          body(i);
        } finally {
          flag = saved;
        }
      },
      'AsyncLocalStorage.run': (i) => als.run({ enabled: false }, () => body(i)),
      'noGrad.run': (i) => noGrad.run(() => body(i)),
      'guarded method': (i) => model.guarded(i),
      'using noGrad.enter()': (i) => {
        const scope = noGrad.enter();
        try {
          body(i);
        } finally {
          scope[Symbol.dispose]();
        }
      },
      getStore: () => {
        if (als.getStore() === undefined) sink++;
      },
      'query after': () => {
        if (!isGradEnabled()) sink++;
      },
    }),
  );
  const nested = noGrad.run(() =>
    rounds({
      'guarded method in noGrad': (i) => model.guarded(i),
      'query in noGrad': () => {
        if (isGradEnabled()) sink++;
      },
    }),
  );
  const awaitsAfter = [];
  for (let i = 0; i < 7; i++) awaitsAfter.push(await promises());
  return {
    ...before,
    ...after,
    ...nested,
    'await before the first frame': median(awaitsBefore),
    'await after': median(awaitsAfter),
  };
}

function table(version, ns) {
  const run = ns['AsyncLocalStorage.run'];
  const store = ns.getStore;
  const ratio = {
    'noGrad.run': run,
    'guarded method': run,
    'using noGrad.enter()': run,
    'guarded method in noGrad': run,
    'query after': store,
    'query in noGrad': store,
  };
  console.log(`\nNode ${version}\n| | ns | ratio |\n|---|---|---|`);
  for (const [name, value] of Object.entries(ns))
    console.log(
      `| ${name} | ${value.toFixed(1)} | ${ratio[name] ? `${(value / ratio[name]).toFixed(2)} of ${ratio[name] === run ? 'AsyncLocalStorage.run' : 'getStore'}` : ''} |`,
    );
}

const torch = `
import timeit, torch
def gate():
    with torch.no_grad():
        pass
@torch.no_grad()
def guarded(): pass
def plain(): pass
best = lambda f: min(timeit.repeat(f, number=100000, repeat=7)) * 1e4
print(torch.__version__, best(plain), best(gate), best(guarded), best(torch.is_grad_enabled))
`;

function pytorch() {
  let out;
  try {
    out = execFileSync(process.env.PYTHON ?? 'python3', ['-c', torch], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    console.log('\nPyTorch: not timed, python3 has no torch (PYTHON=... names another)');
    return;
  }
  const [version, ...ns] = out.trim().split(' ');
  console.log(`\nPyTorch ${version}\n| | ns |\n|---|---|`);
  const names = ['plain call', 'with torch.no_grad()', '@torch.no_grad() function', 'torch.is_grad_enabled()'];
  for (const [i, name] of names.entries()) console.log(`| ${name} | ${Number(ns[i]).toFixed(0)} |`);
}

if (process.argv.includes('--json')) console.log(JSON.stringify(await measure()));
else if (process.argv.includes('--all')) {
  for (const major of [20, 22, 24]) {
    let node = process.execPath;
    if (Number(process.versions.node.split('.')[0]) !== major) {
      const folder = mkdtempSync(join(tmpdir(), 'gradgate-node-'));
      execFileSync(
        'npm',
        ['install', '--silent', '--no-save', '--prefix', folder, `node-${process.platform}-${process.arch}@${major}`],
        { stdio: 'ignore' },
      );
      node = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
    }
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
    table(version, JSON.parse(execFileSync(node, [self, '--json'], { encoding: 'utf8' })));
  }
  pytorch();
} else {
  table(process.versions.node, await measure());
  pytorch();
}
if (sink === -1) console.log(sink);

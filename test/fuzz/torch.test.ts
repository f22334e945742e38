import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { report, runTorchCase, type TorchCase } from './torchCases.js';
import { reportWrites, runWritesCase, type WritesCase } from './writes.js';

/** What is wrong with the program of a line; null if it does what PyTorch does. */
function wrongIn(line: string, of: string): string | null {
  if (of === 'writes') {
    const c = JSON.parse(line) as WritesCase;
    const found = runWritesCase(c);
    return found && reportWrites(c, found);
  }
  const c = JSON.parse(line) as TorchCase;
  const found = runTorchCase(c);
  return found && report(c, found);
}

it.each([
  ['operators', 'torch.jsonl', 2000],
  ['layers', 'torch_layers.jsonl', 600],
  ['writes', 'torch_writes.jsonl', 400],
])('random programs of %s give the values, shapes, dtypes and gradients of PyTorch', (of, file, least) => {
  const lines = readFileSync(new URL(file, import.meta.url), 'utf8')
    .trim()
    .split('\n');
  expect(lines.length).toBeGreaterThan(least);
  const wrong = lines.flatMap((line) => wrongIn(line, of) ?? []);
  expect(wrong.join('\n')).toBe('');
});

// `npm run fuzz:torch -- --cases 20000 --seed 1` sets these, also with `--layers` or `--writes`: new programs, from a Python that has torch.
const {
  FUZZ_CASES: cases,
  FUZZ_SEED: seed = '1000000',
  FUZZ_PYTHON: python = 'python3',
  FUZZ_OF: of = 'cases',
} = process.env;
const program = fileURLToPath(new URL(`torch_${of}.py`, import.meta.url));

it.skipIf(!cases)('so do as many new ones as are asked for', { timeout: 0 }, async () => {
  let count = 0;
  let last = Number(seed);
  const wrong: string[] = [];
  // Now and then PyTorch itself dies of a fault in its memory: it is started anew behind the last program.
  for (let deaths = 0; count < Number(cases) && deaths < 100; deaths++) {
    const child = spawn(python, [program, String(Number(cases) - count), String(last)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.endsWith('}')) continue;
      count++;
      last = (JSON.parse(line) as TorchCase).s;
      const found = wrongIn(line, of);
      if (found !== null) wrong.push(found);
    }
    await ended;
    last += deaths;
  }
  console.log(`${count} programs, ${wrong.length} differences`);
  expect(count).toBe(Number(cases));
  expect(wrong.join('\n')).toBe('');
});

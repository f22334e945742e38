import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as core from '@gradgate/core';
import * as aliases from '@gradgate/core/aliases';
import * as casts from '@gradgate/core/autocast';
import * as checkpoint from '@gradgate/core/checkpoint';
import { compile } from '@gradgate/core/compile';
import * as complexNumbers from '@gradgate/core/complex';
import * as transforms from '@gradgate/core/fft';
import * as func from '@gradgate/core/func';
import * as gradcheck from '@gradgate/core/gradcheck';
import * as linalg from '@gradgate/core/linalg';
import * as more from '@gradgate/core/more';
import * as sparse from '@gradgate/core/sparse';
import * as specialFunctions from '@gradgate/core/special';
import * as distributions from '@gradgate/distributions';
import * as nn from '@gradgate/nn';
import * as onnx from '@gradgate/onnx';
import { transformSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';

// Editors show docstrings, so their examples have to be right: each ```ts block compiles, and runs, with all that core, nn,
// distributions and onnx export in scope. A line `expression; // value` also has to give that value.

const root = fileURLToPath(new URL('../../', import.meta.url));
const packages = join(root, 'packages');
/** What other entry points of core export and core does not; where a name is core's too, examples say `linalg.norm`. */
const without = (names: object, known: object) =>
  Object.fromEntries(Object.entries(names).filter(([n]) => !(n in known)));
const ofLinalg = without(linalg, core);
const ofMore = without(more, core);
const ofSparse = without(sparse, core);
const ofSpecial = without(specialFunctions, core);
const ofAliases = without(aliases, core);
const ofFunc = without(func, core);
const scope: Record<string, unknown> = {
  ...core,
  ...nn,
  ...distributions,
  ...onnx,
  ...ofLinalg,
  ...ofMore,
  ...ofSparse,
  ...ofSpecial,
  ...ofAliases,
  ...checkpoint,
  ...complexNumbers,
  ...transforms,
  ...casts,
  ...ofFunc,
  func,
  ...gradcheck,
  compile,
  linalg,
  more,
  sparse,
};

interface Example {
  readonly place: string;
  readonly code: string;
}

/** The ```ts blocks of a file's docstrings. */
function examplesOf(file: string): Example[] {
  const source = readFileSync(join(packages, file), 'utf8');
  return [...source.matchAll(/^ *\* ```ts\n(.*?)^ *\* ```$/gms)].map(({ index, 1: block }) => ({
    place: `${file}:${source.slice(0, index).split('\n').length}`,
    code: block!.replaceAll(/^ *\* ?/gm, ''),
  }));
}

const examples = ['core/src', 'nn/src', 'distributions/src', 'onnx/src'].flatMap((folder) =>
  readdirSync(join(packages, folder), { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.ts'))
    .sort()
    .flatMap((f) => examplesOf(join(folder, f))),
);

const used = (code: string, names: readonly string[]): string[] =>
  names.filter((name) => new RegExp(`(?<![.\\w])${name}\\b`).test(code));

const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>;

/** What a line is said to give, if its comment is a value rather than words. */
const checked = /^(?!(?:const|let|class|function|using|for|if|\/\/)\b)(\S.*); \/\/ (.+)$/gm;
const isValue = (text: string): boolean => /^(?:[-\d[{'"`]|true$|false$|null$|undefined$|NaN$|Infinity$)/.test(text);

/** Runs a program, and gives how many values it checked. */
async function run(code: string): Promise<number> {
  let count = 0;
  const withChecks = code.replaceAll(checked, (line, expression: string, value: string) => {
    if (!isValue(value)) return line;
    count++;
    return `check(${expression}, (${value}));`;
  });
  const body = transformSync(`async function run() {${withChecks}\n}`, { loader: 'ts', target: 'es2022' }).code;
  const names = used(code, Object.keys(scope));
  const program = new AsyncFunction('check', 'console', ...names, `${body}; return run();`);
  const check = (actual: unknown, expected: unknown) => expect(rounded(plain(actual))).toEqual(rounded(expected));
  await program(check, { log: () => {} }, ...names.map((name) => scope[name]));
  return count;
}

/** Tensors as nested arrays, within arrays and objects too. */
function plain(value: unknown): unknown {
  if (value instanceof core.Tensor) return value.toArray();
  return within(value, plain);
}

/** Docstrings give four digits. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number' && Number.isFinite(value)) return Number(value.toPrecision(4)) + 0;
  return within(value, rounded);
}

function within(value: unknown, f: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(f);
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, f(v)]));
}

describe('examples in docstrings run, and give what they say', () => {
  // Files that examples write go there.
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'gradgate-docstrings-'));
  process.chdir(folder);
  afterAll(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });

  it.each(examples.map(({ place, code }) => [place, code] as const))('%s', async (_, code) => {
    await run(code);
  });

  it('the check sees a wrong value, and a name that is not there', async () => {
    expect(await run('add(tensor([1, 2]), 1); // [2, 3]')).toBe(1);
    await expect(run('add(tensor([1, 2]), 1); // [2, 4]')).rejects.toThrow();
    await expect(run('noSuchFunction(1);')).rejects.toThrow(ReferenceError);
  });
});

describe('examples in docstrings compile', () => {
  /** What the compiler says of programs, each a file of its own. */
  function compile(programs: readonly Example[]): string {
    const folder = join(root, 'node_modules', `.docstrings-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    const { Tensor: _, ...values } = core;
    programs.forEach(({ place, code }, i) => {
      const imports = (
        [
          ['@gradgate/core', [...used(code, Object.keys(values)), 'Tensor']],
          [
            '@gradgate/nn',
            used(
              code,
              Object.keys(nn).filter((name) => !(name in core)),
            ),
          ],
          ['@gradgate/distributions', used(code, Object.keys(distributions))],
          ['@gradgate/core/checkpoint', used(code, Object.keys(checkpoint))],
          ['@gradgate/core/compile', used(code, ['compile'])],
          ['@gradgate/core/complex', used(code, Object.keys(complexNumbers))],
          ['@gradgate/core/fft', used(code, Object.keys(transforms))],
          ['@gradgate/core/autocast', used(code, Object.keys(casts))],
          ['@gradgate/core/func', used(code, Object.keys(ofFunc))],
          ['@gradgate/core/gradcheck', used(code, Object.keys(gradcheck))],
          ['@gradgate/core/linalg', used(code, Object.keys(ofLinalg))],
          ['@gradgate/onnx', used(code, Object.keys(onnx))],
          ['@gradgate/core/more', used(code, Object.keys(ofMore))],
          ['@gradgate/core/sparse', used(code, Object.keys(ofSparse))],
          ['@gradgate/core/special', used(code, Object.keys(ofSpecial))],
          ['@gradgate/core/aliases', used(code, Object.keys(ofAliases))],
        ] as const
      ).map(([from, names]) => `import { ${names.join(', ')} } from '${from}';`);
      imports.push(`import * as func from '@gradgate/core/func'; import * as linalg from '@gradgate/core/linalg';`);
      imports.push(`import * as more from '@gradgate/core/more'; import * as sparse from '@gradgate/core/sparse';`);
      writeFileSync(join(folder, `${i}.ts`), `${imports.join(' ')} // ${place}\n${code}\nexport {};\n`);
    });
    const config = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: { composite: false, noEmit: true, noUnusedLocals: false, noUnusedParameters: false },
      include: ['*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    const said = stdout.replaceAll(/^\S*?(\d+)\.ts\((\d+)/gm, (_, i: string, line: string) => {
      return `${programs[Number(i)]!.place} (line ${Number(line) - 1} of the example`;
    });
    rmSync(folder, { recursive: true });
    return said;
  }

  it('all of them', () => {
    expect(compile(examples)).toBe('');
  });

  it('the check sees a wrong type', () => {
    expect(compile([{ place: 'here', code: 'add(1, "2");' }])).toMatch(/here .*error TS2345/);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as core from '@gradgate/core';
import * as aliases from '@gradgate/core/aliases';
import * as autocast from '@gradgate/core/autocast';
import * as checkpoint from '@gradgate/core/checkpoint';
import * as compile from '@gradgate/core/compile';
import * as complexNumbers from '@gradgate/core/complex';
import * as transforms from '@gradgate/core/fft';
import * as func from '@gradgate/core/func';
import * as gradcheck from '@gradgate/core/gradcheck';
import * as linalg from '@gradgate/core/linalg';
import * as more from '@gradgate/core/more';
import * as sparse from '@gradgate/core/sparse';
import * as special from '@gradgate/core/special';
import * as nn from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const packages = fileURLToPath(new URL('../../packages/', import.meta.url));
const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.ts') && !f.endsWith('.d.ts'))
    .map((f) => join(folder, f));

const declaration =
  /^export (?:default )?(?:abstract )?(?:async )?(?:(class|function)\*? (\w+)|(interface) (\w+Options)\b)/;

/** Exported classes, functions and options without a comment for editors right above them; overloads share one. */
function undocumented(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  let last = '';
  return lines.flatMap((line, i) => {
    const found = declaration.exec(line);
    if (found === null) return [];
    const name = (found[2] ?? found[4])!;
    const again = name === last;
    last = name;
    let above = i - 1;
    // Decorators and notes to the linter may stand in between.
    while (/^(@|\/\/ biome-ignore)/.test(lines[above] ?? '')) above--;
    return again || (lines[above] ?? '').trimEnd().endsWith('*/') ? [] : [name];
  });
}

/** What an example of few lines cannot show: base classes, errors, what needs a file beside it, and what extensions are made of. */
const withoutExample = new Set([
  ...[
    'Loss',
    'workerDataset',
    'FunctionContext',
    'TensorError',
    'ShapeError',
    'DTypeError',
    'DeviceError',
    'IndexError',
  ],
  ...['AutogradError', 'GradModeError', 'recordMany', 'overlay', 'backend', 'refuseRead', 'registerBackend', 'memory'],
  ...['setNumThreads', 'describeFrame', 'setDevelopmentMode', 'setReporter', 'currentFrame', 'binary', 'unary'],
  ...['sumTo', 'var'],
]);

/** Whether the docstring above an exported name has an example. */
function hasExample(source: string, name: string): boolean {
  const lines = source.split('\n');
  const at = lines.findIndex((line) =>
    new RegExp(`^export (?:abstract )?(?:async )?(?:class|function|const) ${name}\\b`).test(line),
  );
  if (at < 0) return false;
  const before = lines.slice(0, at).join('\n');
  return before.slice(before.lastIndexOf('/**')).includes('* ```ts');
}

/** The classes and functions that have no example. */
const lacking = (names: object, files: readonly string[]): string[] =>
  Object.entries(names)
    .filter(([name, value]) => typeof value === 'function' && !withoutExample.has(name))
    .map(([name]) => name)
    .filter((name) => !files.some((source) => hasExample(source, name)));

describe('every exported class, function and set of options has a docstring, which editors show', () => {
  it.each([
    'nn/src',
    'train/src',
    'gradgate/src',
    'openblas/src',
    'native/src',
    'distributions/src',
    'onnx/src',
    'distributed/src',
    'unplugin/src',
    'create-gradgate/src',
  ])('%s', (folder) => {
    const files = sources(join(packages, folder));
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap((f) => undocumented(f).map((name) => `${f.slice(packages.length)}: ${name}`))).toEqual([]);
  });

  it.each([
    ['layers and the rest of nn', nn],
    ['functional', Object.fromEntries(Object.entries(nn.functional).filter(([name]) => !(name in core)))],
    ['optim', nn.optim],
    ['init', nn.init],
    ['data', nn.data],
    ['metrics', nn.metrics],
  ] as const)('%s: with an example', (_, names) => {
    const files = sources(join(packages, 'nn/src')).map((f) => readFileSync(f, 'utf8'));
    const own = Object.entries(names as Record<string, unknown>).filter(([name]) => !(name in core));
    expect(lacking(Object.fromEntries(own), files)).toEqual([]);
  });

  it('core: with an example', () => {
    const files = sources(join(packages, 'core/src')).map((f) => readFileSync(f, 'utf8'));
    expect(lacking(core, files)).toEqual([]);
    const elsewhere = ['inv', 'expit', 'psi', 'gammaln', 'modifiedBesselI0', 'modifiedBesselI1'];
    const others = {
      ...checkpoint,
      ...compile,
      ...complexNumbers,
      ...transforms,
      ...autocast,
      ...func,
      ...gradcheck,
      ...linalg,
      ...more,
      ...sparse,
      ...special,
    };
    const ofCore: readonly unknown[] = Object.values(core);
    // Other names of what core exports have its words.
    const small = Object.entries(aliases).filter(([, value]) => !ofCore.includes(value));
    const own = [...Object.entries(others), ...small].filter(([name]) => !elsewhere.includes(name));
    expect(lacking(Object.fromEntries(own), files)).toEqual([]);
  });

  it('the check sees one that is missing', () => {
    expect(declaration.exec('export class ReLU extends layerOf(relu) {}')?.[2]).toBe('ReLU');
    expect(declaration.exec('export async function load(path: string) {')?.[2]).toBe('load');
    expect(declaration.exec('export interface AdamOptions {')?.[4]).toBe('AdamOptions');
  });
});

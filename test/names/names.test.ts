import { readFileSync } from 'node:fs';
import * as core from '@gradgate/core';
import * as aliases from '@gradgate/core/aliases';
import * as autocast from '@gradgate/core/autocast';
import * as complexNumbers from '@gradgate/core/complex';
import * as transforms from '@gradgate/core/fft';
import * as func from '@gradgate/core/func';
import * as linalg from '@gradgate/core/linalg';
import * as more from '@gradgate/core/more';
import * as sparse from '@gradgate/core/sparse';
import * as special from '@gradgate/core/special';
import * as distributions from '@gradgate/distributions';
import * as nn from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { leftOut, otherwise } from './leftOut.js';

// PyTorch's names, and which of them are here: docs/pytorch-names.md says it, and this test keeps it true. After a change of
// either `npx vitest run test/names -u` writes the page anew.

const file = new URL('../golden/torch-names.json', import.meta.url);
const { version, ...spaces } = JSON.parse(readFileSync(file, 'utf8')) as { version: string } & Record<string, string[]>;
const { functional, optim } = nn;
const tensors: object[] = [core.Tensor.prototype, core.tensor([1])];

/** Where names of a module are looked for; what hangs on tensors is as good for `torch` itself. */
const places: Record<string, readonly object[]> = {
  torch: [core, aliases, autocast, ...tensors, functional, complexNumbers, transforms, linalg, more, special, sparse],
  Tensor: [...tensors, more, sparse, sparse.sparseCooTensor([[0]], [1])],
  nn: [nn],
  functional: [functional, core, aliases],
  optim: [optim],
  lr_scheduler: [optim],
  linalg: [linalg],
  fft: [transforms],
  special: [special],
  distributions: [distributions],
  sparse: [sparse],
  func: [func],
};

const camelCase = (name: string) => name.replaceAll(/(?<=[a-zA-Z0-9])_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
const isHere = (space: string, name: string) => places[space]!.some((place) => camelCase(name) in place);
const patterns = leftOut.map(({ why, of, names }) => ({
  why,
  of,
  fits: new RegExp(
    `^(${names
      .trim()
      .split(/\s+/)
      .map((n) => n.replaceAll('*', '\\w*'))
      .join('|')})$`,
  ),
}));
const reasonOf = (space: string, name: string) =>
  patterns.find(({ of, fits }) => (of === undefined || of.includes(space)) && fits.test(name))?.why;

/** What a name of ours means: `linalg.svd`, `to('cpu')`, `abs_`. */
function isKnown(ours: string): boolean {
  const entries: Record<string, object> = {
    aliases,
    linalg,
    more,
    special,
    sparse,
    distributions,
    nn,
    distributed: {},
  };
  const [first, rest] = ours.replace(/\(.*/, '').split('.') as [string, string?];
  if (first === 'distributed') return true;
  if (rest !== undefined) return rest in entries[first]!;
  return [core, ...tensors, nn, functional, complexNumbers, transforms, linalg, special].some(
    (place) => first in place,
  );
}

const notYet = 'not there yet';

const shown = (names: readonly string[]) => names.map((n) => `\`${n}\``).join(', ');

function page(): string {
  const lines = [
    '# PyTorch’s names',
    '',
    `The public names of PyTorch ${version.slice(0, 4)} that are here in camelCase, and what there is for the others. Those that core lacks under them are there once \`@gradgate/core/aliases\` is imported. A test keeps this page true.`,
    '',
    '| module | here | written in another way | not there yet | left out |',
    '|---|---|---|---|---|',
  ];
  const details: string[] = [];
  for (const [space, names] of Object.entries(spaces)) {
    const missing = names.filter((name) => !isHere(space, name));
    const renamed = missing.filter((name) => name in otherwise);
    const others = missing.filter((name) => !(name in otherwise));
    const later = others.filter((name) => reasonOf(space, name)?.endsWith(notYet));
    lines.push(
      `| \`${space}\` | ${names.length - missing.length} of ${names.length} | ${renamed.length} | ${later.length} | ${others.length - later.length} |`,
    );
    details.push('', `## ${space}`, '');
    if (renamed.length > 0)
      details.push(
        `In another way, or by what is in brackets: ${renamed.map((n) => `\`${n}\` (\`${otherwise[n]}\`)`).join(', ')}.`,
        '',
      );
    const reasons = [...new Set(others.map((name) => reasonOf(space, name)))];
    for (const why of reasons) details.push(`* ${why}: ${shown(others.filter((n) => reasonOf(space, n) === why))}`);
  }
  return `${[...lines, ...details]
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

describe('PyTorch’s names', () => {
  it.each(Object.entries(spaces))('each of %s is here, has another name, or a reason why not', (space, names) => {
    const missing = names.filter((name) => !isHere(space, name) && !(name in otherwise));
    expect(missing.filter((name) => reasonOf(space, name) === undefined)).toEqual([]);
  });

  it('other names are there', () => {
    expect(Object.values(otherwise).filter((ours) => !isKnown(ours))).toEqual([]);
  });

  it('no name that is said to have another is here itself everywhere, or unknown to PyTorch', () => {
    const of = (name: string) => Object.keys(spaces).filter((space) => spaces[space]!.includes(name));
    expect(Object.keys(otherwise).filter((name) => of(name).every((space) => isHere(space, name)))).toEqual([]);
  });

  it('are told by the page', async () => {
    await expect(page()).toMatchFileSnapshot('../../docs/pytorch-names.md');
  });
});

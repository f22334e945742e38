import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { need } from '../needs.js';
import { npm, pack, temporaryFolder } from './pack.js';

// The tarballs as each package manager installs them. The managers themselves come from the registry.

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }), 60_000);

const tarballs = Object.fromEntries(['core', 'nn'].map((name) => [`@gradgate/${name}`, `file:${pack(name, folder)}`]));
/** nn depends on core by its version, which is not published. */
const only = { '@gradgate/core': tarballs['@gradgate/core'] };

const program = `import { isGradEnabled, noGrad, tensor } from '@gradgate/core';
import { noGrad as sameGate } from '@gradgate/core/grad';
import { Linear } from '@gradgate/nn';
const w = tensor([1, 2], { requiresGrad: true });
w.mul(w).sum().backward();
console.log(w.grad.toArray().join(), noGrad === sameGate, noGrad.run(isGradEnabled), new Linear(2, 3)(w).shape.join());`;

interface Manager {
  readonly name: string;
  /** What npm installs to have it, and the program in it. */
  readonly from: string;
  readonly bin: string;
  readonly install: readonly string[];
  /** How the program is run where a package manager has its own way. */
  readonly run?: readonly string[];
  /** What the manifest of the root says. */
  readonly root: object;
  /** Files of the root beside it. */
  readonly files?: Record<string, string>;
}

const managers: Manager[] = [
  { name: 'npm', from: '', bin: 'npm', install: ['install', '--no-audit', '--no-fund'], root: {} },
  {
    name: 'pnpm',
    from: 'pnpm@10',
    bin: 'pnpm',
    install: ['install', '--no-frozen-lockfile'],
    root: { pnpm: { overrides: only } },
    files: { 'pnpm-workspace.yaml': 'packages:\n  - parts/*\n' },
  },
  {
    name: "Yarn (Plug'n'Play)",
    from: '@yarnpkg/cli-dist@4',
    bin: 'yarn',
    install: ['install', '--no-immutable'],
    run: ['yarn', 'node'],
    root: { resolutions: only },
    files: { 'yarn.lock': '', '.yarnrc.yml': 'enableTelemetry: false\nenableGlobalCache: false\nnodeLinker: pnp\n' },
  },
  { name: 'Bun', from: 'bun@1', bin: 'bun', install: ['install'], run: ['bun'], root: { overrides: only } },
];

const env = { ...process.env, PATH: `${join(folder, 'tools/node_modules/.bin')}:${process.env['PATH']}`, CI: '' };
const run = (cwd: string, [command, ...args]: readonly string[]): string =>
  execFileSync(command!, args, { cwd, env, encoding: 'utf8', stdio: 'pipe', timeout: 110_000 });

mkdirSync(join(folder, 'tools'));
writeFileSync(join(folder, 'tools/package.json'), '{ "private": true }');

/** Whether a package manager can be had here and does run. */
function isThere({ name, from, bin }: Manager): boolean {
  const tools = join(folder, 'tools');
  let reason = '';
  try {
    if (from) npm(['install', '--no-audit', '--no-fund', '--fetch-retries=0', from], { cwd: tools, timeout: 110_000 });
    run(tools, [bin, '--version']);
  } catch (error) {
    reason = String((error as Error).message).split('\n')[0]!;
  }
  return (
    need(reason === '' || undefined, `installing by ${name}`, `it cannot be had from the registry: ${reason}`) === true
  );
}

const manifest = (name: string, more: object) => JSON.stringify({ name, private: true, type: 'module', ...more });

describe.each(managers)('$name', (manager) => {
  const there = isThere(manager);
  const start = manager.run ?? ['node'];

  it.skipIf(!there)('installs the tarballs in a plain project, which runs', () => {
    const project = join(folder, `${manager.bin}-plain`);
    mkdirSync(project);
    const files = { ...manager.files, 'main.mjs': program };
    for (const [file, text] of Object.entries(files))
      if (file !== 'pnpm-workspace.yaml') writeFileSync(join(project, file), text);
    writeFileSync(join(project, 'package.json'), manifest('plain', { dependencies: tarballs, ...manager.root }));
    run(project, [manager.bin, ...manager.install]);
    expect(run(project, [...start, 'main.mjs'])).toBe('2,4 true false 3\n');
  });

  it.skipIf(!there)('installs them in a package of a workspace, which another one uses', () => {
    const project = join(folder, `${manager.bin}-workspace`);
    const version = manager.bin === 'npm' ? '1.0.0' : 'workspace:*';
    for (const part of ['model', 'app']) mkdirSync(join(project, 'parts', part), { recursive: true });
    for (const [file, text] of Object.entries(manager.files ?? {})) writeFileSync(join(project, file), text);
    const write = (file: string, text: string) => writeFileSync(join(project, file), text);
    write('package.json', manifest('root', { workspaces: ['parts/*'], ...manager.root }));
    const model = { version: '1.0.0', exports: './index.mjs', dependencies: tarballs };
    write('parts/model/package.json', manifest('model', model));
    write(
      'parts/model/index.mjs',
      `import { noGrad } from '@gradgate/core';
      import { Linear } from '@gradgate/nn';
      export const net = new Linear(2, 3);
      export const predict = noGrad.wrap((x) => net(x));`,
    );
    write('parts/app/package.json', manifest('app', { dependencies: { ...tarballs, model: version } }));
    // Both have one copy: a tensor of one is a tensor of the other.
    write(
      'parts/app/main.mjs',
      `import { ones } from '@gradgate/core';
      import { net, predict } from 'model';
      console.log(net(ones([2])).requiresGrad, predict(ones([2])).requiresGrad, predict(ones([2])).shape.join());`,
    );
    run(project, [manager.bin, ...manager.install]);
    expect(run(join(project, 'parts/app'), [...start, 'main.mjs'])).toBe('true false 3\n');
  });
});

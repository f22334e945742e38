import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nameOf, npm, root, temporaryFolder } from './pack.js';

const project = temporaryFolder();
afterAll(() => rmSync(project, { recursive: true }));

/** Whose own types an entry needs: who uses it has it. */
const bundlers = ['vite', 'rollup', 'rolldown', 'webpack', '@rspack/core'];
const installed = (name: string) => join(project, 'node_modules', name);

/** A dependency as it lies here: what it depends on in turn is not in reach of the project. */
function link(name: string): void {
  if (existsSync(installed(name))) return;
  mkdirSync(dirname(installed(name)), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), installed(name));
}

interface Manifest {
  name: string;
  exports: Record<string, unknown>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** Puts the files that the tarball of a package would have into a folder. */
function unpack(name: string, folder: string): void {
  const from = join(root, 'packages', name);
  const [{ files }] = JSON.parse(npm(['pack', '--json', '--dry-run', '--ignore-scripts'], { cwd: from })) as [
    { files: { path: string }[] },
  ];
  for (const { path } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(join(from, path), join(folder, path));
  }
}

/** What the tarballs export, as imports of a program. */
const imports: string[] = [];

beforeAll(() => {
  for (const name of readdirSync(join(root, 'packages'))) {
    const folder = installed(nameOf(name));
    mkdirSync(folder, { recursive: true });
    unpack(name, folder);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
      if (!/gradgate/.test(dependency)) link(dependency);
    for (const entry of Object.keys(manifest.exports))
      if (entry !== './package.json') imports.push(`${manifest.name}${entry.slice(1)}`);
  }
  for (const bundler of bundlers) link(bundler);
}, 120_000);

describe.each([
  ['5.9', join(root, 'test/node_modules/typescript')],
  ['7', join(root, 'node_modules/typescript')],
])('under TypeScript %s', (version, typescript) => {
  it.each(version === '7' ? ['nodenext', 'bundler'] : ['nodenext'])(
    'the types of every entry compile by themselves, without the library dom: %s',
    (resolution) => {
      const folder = join(project, `${version}-${resolution}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      const lines = imports.map(
        (name, i) => `import * as module${i} from '${name}';\nexport const used${i} = module${i};`,
      );
      expect(lines.length).toBeGreaterThan(15);
      writeFileSync(join(folder, 'every.ts'), lines.join('\n'));
      const compilerOptions = {
        target: 'es2022',
        lib: ['es2023'],
        module: resolution === 'bundler' ? 'esnext' : 'nodenext',
        moduleResolution: resolution,
        strict: true,
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
        noEmit: true,
      };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
      const tsc = spawnSync(process.execPath, [join(typescript, 'bin/tsc'), '-p', folder], { encoding: 'utf8' });
      expect(tsc.stdout + tsc.stderr).toBe('');
      expect(tsc.status).toBe(0);
    },
  );
});

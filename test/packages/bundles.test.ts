import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { isNativeLoaded } from '@gradgate/native';
import { isOpenblasLoaded } from '@gradgate/openblas';
import { build as esbuild } from 'esbuild';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import { afterAll, expect, it } from 'vitest';
import webpack from 'webpack';
import { needMpi } from '../needs.js';
import { root } from './pack.js';

/** A project that finds the packages as they have been built. */
const project = mkdtempSync(join(tmpdir(), 'gradgate-bundles-'));
/** A folder where no package is installed. */
const bare = mkdtempSync(join(tmpdir(), 'gradgate-bare-'));
afterAll(() => {
  for (const folder of [project, bare]) rmSync(folder, { recursive: true });
});
symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));

for (const folder of [project, bare])
  writeFileSync(join(folder, 'squares.mjs'), 'export default () => ({ length: 3, get: (i) => i * i });');
const tell = `const tell = (name, value) => console.log(JSON.stringify([name, value]));
  const attempt = async (name, run) => tell(name, await run().catch((error) => error.message));`;
/** What also runs in browsers, and OpenBLAS. */
writeFileSync(
  join(project, 'anywhere.js'),
  `import { noGrad, ones, tensor } from '@gradgate/core';
  import { isGradEnabled } from '@gradgate/core/grad';
  import * as matchers from '@gradgate/core/matchers';
  import { isNativeLoaded } from '@gradgate/native';
  import { data, Linear } from '@gradgate/nn';
  import { isOpenblasLoaded } from '@gradgate/openblas';
  ${tell}
  tell('gate', noGrad.run(isGradEnabled));
  const w = tensor([1, 2], { requiresGrad: true });
  w.mul(w).sum().backward();
  tell('gradient', w.grad.toArray());
  tell('layer', new Linear(128, 128)(ones([128, 128])).shape);
  tell('matchers', Object.keys(matchers).length);
  tell('native', isNativeLoaded());
  tell('openblas', isOpenblasLoaded());
  attempt('threads', async () => {
    const dataset = await data.workerDataset('squares.mjs');
    const sample = await dataset.get(2);
    await dataset.close();
    return sample;
  });`,
);
/** What Node alone has. */
writeFileSync(
  join(project, 'node.js'),
  `import { ones } from '@gradgate/core';
  import { allReduce, destroy, init, rank, worldSize } from '@gradgate/distributed';
  ${tell}
  attempt('ranks', async () => {
    await init();
    const x = ones([2]).mul(rank() + 1);
    allReduce(x);
    const result = [worldSize(), ...x.toArray()];
    await destroy();
    return result;
  });`,
);

const resolver = {
  name: 'packages',
  resolveId: (id: string) =>
    /^(@gradgate\/|pure-rand|fflate$)/.test(id)
      ? fileURLToPath(import.meta.resolve(id === 'fflate' ? 'fflate/browser' : id))
      : null,
};
const entry = (name: string) => join(project, `${name}.js`);
const extension = (format: string) => (format === 'esm' ? 'mjs' : 'cjs');

type Format = 'esm' | 'cjs' | 'iife';
/** Each bundles a program of the project for Node, and says what it made. */
const bundlers: Record<string, { formats: Format[]; build(name: string, format: Format): Promise<string> }> = {
  esbuild: {
    formats: ['esm', 'cjs', 'iife'],
    async build(name, format) {
      const outfile = join(project, `esbuild-${name}-${format}.${extension(format)}`);
      const { warnings } = await esbuild({
        entryPoints: [entry(name)],
        bundle: true,
        format,
        outfile,
        platform: 'node',
        logLevel: 'silent',
      });
      expect(warnings.map(({ text }) => text)).toEqual([]);
      return outfile;
    },
  },
  Rollup: {
    formats: ['esm', 'cjs', 'iife'],
    async build(name, format) {
      const file = join(project, `rollup-${name}-${format}.${extension(format)}`);
      const bundle = await rollup({
        input: entry(name),
        plugins: [resolver],
        external: /^node:/,
        onwarn: ({ message }) => expect(message).toMatch(/Circular dependency|treated as external|'this' keyword/),
      });
      await bundle.write({ file, format, inlineDynamicImports: true });
      return file;
    },
  },
  Vite: {
    formats: ['esm', 'cjs', 'iife'],
    async build(name, format) {
      const fileName = `vite-${name}-${format}.${extension(format)}`;
      const lib = {
        entry: entry(name),
        formats: [format === 'esm' ? 'es' : format],
        name: 'x',
        fileName: () => fileName,
      };
      const node = { ssr: entry(name), rolldownOptions: { output: { format, entryFileNames: fileName } } };
      const common = { target: 'es2022', outDir: join(project, 'vite'), emptyOutDir: false, minify: false };
      await vite({
        root: project,
        configFile: false,
        logLevel: 'error',
        ssr: { noExternal: true },
        build: { ...common, ...(name === 'node' ? node : { lib: lib as never }) },
      });
      return join(project, 'vite', fileName);
    },
  },
  webpack: {
    formats: ['esm', 'cjs'],
    build: (name, format) =>
      new Promise((resolve, reject) => {
        const filename = `webpack-${name}-${format}.${extension(format)}`;
        const output =
          format === 'esm'
            ? { module: true, library: { type: 'module' } }
            : { library: { type: 'commonjs2' }, chunkFormat: 'commonjs' as const };
        const experiments = { outputModule: format === 'esm' };
        webpack(
          {
            context: project,
            mode: 'production',
            entry: entry(name),
            target: 'node20',
            devtool: false,
            experiments,
            output: { path: project, filename, ...output },
            performance: false,
            optimization: { minimize: false },
          },
          (error, stats) => {
            if (error || stats?.hasErrors() || stats?.hasWarnings())
              reject(error ?? new Error(stats!.toString('errors-warnings')));
            else resolve(join(project, filename));
          },
        );
      }),
  },
};

function run(file: string, cwd: string, env: NodeJS.ProcessEnv = {}, command = [process.execPath]) {
  const { status, stdout, stderr } = spawnSync(command[0]!, [...command.slice(1), file], {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
  const lines = stdout.trim().split('\n').sort();
  return { status, stderr, told: lines.map((line) => JSON.parse(line) as [string, unknown]) };
}

/** The same bundle in a folder without packages. */
function moved(file: string): string {
  const to = join(bare, basename(file));
  cpSync(file, to);
  return to;
}

const everywhere = { gate: false, gradient: [2, 4], layer: [128, 128], matchers: 3 };
const isMissing = (name: string) =>
  expect.stringMatching(
    new RegExp(`the package ${name}, and it is not installed where this bundle runs; install it there`),
  );

for (const [name, { formats, build }] of Object.entries(bundlers)) {
  it.each(formats)(
    `a bundle of ${name} in the format %s runs, and takes threads and OpenBLAS from what is installed`,
    async (format) => {
      const file = await build('anywhere', format);
      const { status, told } = run(file, project);
      expect({ status, ...Object.fromEntries(told) }).toEqual({
        status: 0,
        ...everywhere,
        native: isNativeLoaded(),
        openblas: isOpenblasLoaded(),
        threads: 4,
      });

      const alone = run(moved(file), bare);
      expect({ status: alone.status, ...Object.fromEntries(alone.told) }).toEqual({
        status: 0,
        ...everywhere,
        native: false,
        openblas: false,
        threads: isMissing('@gradgate/nn'),
      });
      expect(alone.stderr).toContain(
        '@gradgate/native: is not installed where this program runs: a bundle cannot bring it;',
      );
      expect(alone.stderr).toMatch(/Cannot find module 'koffi'.*Install the package koffi where this program runs/s);
    },
  );

  it.each(['esm', 'cjs'] as const)(
    `a bundle of ${name} in the format %s is a rank, or says what is missing`,
    async (format) => {
      const file = await build('node', format);
      expect(run(file, project)).toEqual({ status: 0, stderr: '', told: [['ranks', [1, 1, 1]]] });
      const launched = { OMPI_COMM_WORLD_SIZE: '2' };
      expect(run(moved(file), bare, launched).told).toEqual([['ranks', isMissing('@gradgate/distributed')]]);
    },
  );
}

/** What runs in browsers, entry by entry: all packages but those that are for Node alone. */
const forBrowsers = readdirSync(join(root, 'packages'))
  .filter((folder) => !['create-gradgate', 'distributed', 'eslint-plugin', 'unplugin'].includes(folder))
  .flatMap((folder) => {
    const text = readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8');
    const { name, exports } = JSON.parse(text) as { name: string; exports: Record<string, { default?: string }> };
    return Object.entries(exports)
      .filter(([, target]) => target.default?.endsWith('.js'))
      .map(([entry]) => `${name}${entry.slice(1)}`);
  });

it('every entry for browsers is bundled for them, and loads where there is nothing of Node', async () => {
  expect(forBrowsers.length).toBeGreaterThan(20);
  for (const name of forBrowsers) {
    const { outputFiles, warnings } = await esbuild({
      stdin: { contents: `export * from '${name}';`, resolveDir: project },
      ...{ bundle: true, format: 'iife', platform: 'browser', write: false, logLevel: 'silent' },
    });
    expect(warnings, name).toEqual([]);
    const of = {
      console: { ...console, warn() {} },
      performance,
      TextEncoder,
      WebAssembly,
      URL,
      setTimeout,
    };
    const page = createContext({ ...of, AbortController, Event, EventTarget, queueMicrotask, crypto, structuredClone });
    expect(() => runInContext(outputFiles[0]!.text, page), name).not.toThrow();
  }
});

it.each(needMpi('bundles as ranks of MPI'))('a CommonJS bundle is one of two ranks under %s', async (mpirun) => {
  const file = await bundlers['esbuild']!.build('node', 'cjs');
  const flags = /openmpi/.test(mpirun) ? ['--allow-run-as-root', '--oversubscribe'] : [];
  const { status, told } = run(file, project, {}, [mpirun, ...flags, '-n', '2', process.execPath]);
  expect({ status, told }).toEqual({
    status: 0,
    told: [
      ['ranks', [2, 3, 3]],
      ['ranks', [2, 3, 3]],
    ],
  });
});

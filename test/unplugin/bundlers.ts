import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuildPlugin from '@gradgate/unplugin/esbuild';
import rollupPlugin from '@gradgate/unplugin/rollup';
import rspackPlugin from '@gradgate/unplugin/rspack';
import vitePlugin from '@gradgate/unplugin/vite';
import webpackPlugin from '@gradgate/unplugin/webpack';
import { rspack } from '@rspack/core';
import { build as esbuild, transformSync } from 'esbuild';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import webpack from 'webpack';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = fileURLToPath(new URL('./program', import.meta.url));

/** A project with the program in TypeScript, or in JavaScript that still has its decorators and async functions. */
export function makeProject(folder: string, language: 'ts' | 'js'): void {
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'tsconfig.json'), '{}');
  for (const file of readdirSync(program).filter((f) => f.endsWith('.ts'))) {
    const source = readFileSync(join(program, file), 'utf8');
    const text = language === 'ts' ? source : transformSync(source, { loader: 'ts', target: 'esnext' }).code;
    writeFileSync(join(folder, file.replace(/ts$/, language)), text);
  }
}

/** Packages by name, as bundlers with a resolver of their own find them. */
const resolver = {
  name: 'packages',
  resolveId: (id: string) => (id.startsWith('@gradgate/') ? fileURLToPath(import.meta.resolve(id)) : null),
};

/** The configuration of webpack and Rspack for a library. */
const packing = (folder: string, file: string) => ({
  context: folder,
  mode: 'production' as const,
  entry: './node.js',
  target: 'es2022',
  devtool: false as const,
  experiments: { outputModule: true, topLevelAwait: true },
  output: { path: folder, filename: file, module: true, library: { type: 'module' } },
  performance: false as const,
});

/** Each bundles `node.ts` or `node.js` in a folder into one file, and returns its name. */
export const bundlers: Record<string, { language: 'ts' | 'js'; build(folder: string): Promise<string> }> = {
  esbuild: {
    language: 'ts',
    async build(folder) {
      const outfile = join(folder, 'out.mjs');
      const entryPoints = [join(folder, 'node.ts')];
      await esbuild({ entryPoints, bundle: true, format: 'esm', outfile, plugins: [esbuildPlugin()] });
      return outfile;
    },
  },
  Rollup: {
    language: 'js',
    async build(folder) {
      const file = join(folder, 'out.mjs');
      const bundle = await rollup({
        input: join(folder, 'node.js'),
        plugins: [resolver, rollupPlugin()],
        external: /^pure-rand/,
        logLevel: 'silent',
      });
      await bundle.write({ file, format: 'es', inlineDynamicImports: true });
      return file;
    },
  },
  Vite: {
    language: 'ts',
    async build(folder) {
      const lib = { entry: join(folder, 'node.ts'), formats: ['es' as const], fileName: () => 'out.mjs' };
      await vite({
        root: folder,
        configFile: false,
        logLevel: 'error',
        plugins: [vitePlugin()],
        build: { lib, target: 'es2022', outDir: folder, emptyOutDir: false, minify: false },
      });
      return join(folder, 'out.mjs');
    },
  },
  webpack: {
    language: 'js',
    build: (folder) =>
      new Promise((resolve, reject) => {
        webpack({ ...packing(folder, 'out.mjs'), plugins: [webpackPlugin()] }, (error, stats) => {
          if (error || stats?.hasErrors()) reject(error ?? new Error(stats!.toString('errors-only')));
          else resolve(join(folder, 'out.mjs'));
        });
      }),
  },
  Rspack: {
    language: 'js',
    build: (folder) =>
      new Promise((resolve, reject) => {
        rspack({ ...packing(folder, 'out.mjs'), plugins: [rspackPlugin()] } as never, (error, stats) => {
          if (error || stats?.hasErrors()) reject(error ?? new Error(stats!.toString('errors-only')));
          else resolve(join(folder, 'out.mjs'));
        });
      }),
  },
};

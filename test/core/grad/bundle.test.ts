import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type Format } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'gradgate-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));
const core = fileURLToPath(new URL('../../../packages/core/dist/index.js', import.meta.url));

writeFileSync(
  join(folder, 'main.ts'),
  `import { explainGrad, gradModeStack, noGrad, setDevelopmentMode, tensor } from ${JSON.stringify(core)};
  setDevelopmentMode(true);
  function inRun() { return noGrad.run(() => tensor([1], { requiresGrad: true }).mul(2)); }
  const guarded = noGrad.wrap(() => gradModeStack()[0].opener);
  function inMethod() { return guarded.call(null); }
  function inScope() {
    const scope = noGrad.enter();
    try {
      return gradModeStack()[0].opener;
    } finally {
      scope[Symbol.dispose]();
    }
  }
  console.log(JSON.stringify([explainGrad(inRun()), inMethod(), inScope()]));`,
);

describe.each(['esm', 'cjs', 'iife'] satisfies Format[])('in a bundle of the format %s', (format) => {
  it.each([false, true])(
    'development mode names the very place, and does not advise to switch on what is on; minified: %s',
    (minify) => {
      const outfile = join(folder, `${format}-${minify}.${format === 'esm' ? 'mjs' : 'cjs'}`);
      buildSync({ entryPoints: [join(folder, 'main.ts')], bundle: true, format, minify, platform: 'node', outfile });
      const printed: string[] = JSON.parse(execFileSync(process.execPath, [outfile], { encoding: 'utf8' }));
      const lines = readFileSync(outfile, 'utf8').split('\n');
      const pointedAt = printed.map((text) => {
        const [, line, column] = /js:(\d+):(\d+)$/.exec(text)!;
        return lines[Number(line) - 1]!.slice(Number(column) - 1).slice(0, 4);
      });
      expect(pointedAt).toEqual(['run(', 'call', 'ente']);
      expect(printed.join()).not.toContain('GRADGATE_DEV');
    },
  );
});

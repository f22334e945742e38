import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';

it('in a bundle, development mode still names a place, and does not advise to switch on what is on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradgate-bundle-'));
  const core = fileURLToPath(new URL('../../../packages/core/dist/index.js', import.meta.url));
  writeFileSync(
    join(folder, 'main.ts'),
    `import { explainGrad, gradModeStack, noGrad, setDevelopmentMode, tensor } from ${JSON.stringify(core)};
    setDevelopmentMode(true);
    function userCode() { return noGrad.run(() => ({ t: tensor([1], { requiresGrad: true }).mul(2), at: gradModeStack()[0].opener })); }
    const { t, at } = userCode();
    console.log(JSON.stringify([at, explainGrad(t)]));`,
  );
  const outfile = join(folder, 'out.mjs');
  buildSync({
    entryPoints: [join(folder, 'main.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile,
    keepNames: false,
  });
  const [at, why] = JSON.parse(execFileSync(process.execPath, [outfile], { encoding: 'utf8' }));
  expect(at).toMatch(/out\.mjs:\d+:\d+$/);
  expect(why).toContain('out.mjs');
  expect(why).not.toContain('GRADGATE_DEV');
});

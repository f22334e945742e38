import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npm, pack, root, temporaryFolder } from './pack.js';

const project = temporaryFolder();
const cleanUp = () => rmSync(project, { recursive: true });

/** Installs the tarballs and what they depend on; gives null, or why that is impossible here. */
function install(): string | null {
  const tarballs = ['core', 'nn'].map((name) => pack(name, project));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=0'];
  try {
    npm(['install', ...flags, '--fetch-timeout=20000', ...tarballs], { cwd: project, timeout: 90_000 });
    return null;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: Buffer };
    const network =
      /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|E50\d)\b/.exec(
        `${message}\n${stderr}`,
      );
    if (!network) throw new Error(`npm install of the tarballs failed:\n${stderr}`);
    return `the registry cannot be reached (${network[0]})`;
  }
}

const obstacle = install();
if (obstacle === null) afterAll(cleanUp);
else {
  cleanUp();
  console.warn(`skipped: installing the packages as a consumer, ${obstacle}`);
}

function node(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8', timeout: 60_000 });
}

const readme = (name: string): string =>
  /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'packages', name, 'README.md'), 'utf8'))![1]!;
const printedByReadmes = { core: ['[ 2, 4, 6 ]', 'true', 'false'], nn: ['false', 'true'] };

const consumer = `
import { isGradEnabled, manualSeed, mseLoss, noGrad, tensor, type Tensor } from '@gradgate/core';
import { isGradEnabled as sameQuery, noGrad as sameGate } from '@gradgate/core/grad';
import { Linear, Module, optim } from '@gradgate/nn';

manualSeed(0);

class Net extends Module {
  serving = false;
  fc = new Linear(2, 1);

  override forward(x: Tensor): Tensor {
    return this.fc(x);
  }

  @noGrad evaluate(x: Tensor): Tensor {
    return this.forward(x);
  }

  @noGrad(function (this: Net) {
    return this.serving;
  })
  async answer(x: Promise<Tensor>): Promise<Tensor> {
    return this.forward(await x);
  }
}

const net = new Net();
const x = tensor([[1, 2], [3, 4]]);
const y = tensor([[1], [2]]);
const optimizer = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.5 });
const before: number = mseLoss(net.evaluate(x), y).item();
const loss: Tensor = mseLoss(net(x), y);
optimizer.zeroGrad();
loss.backward();
optimizer.step();

console.log('forward', net(x).requiresGrad, 'evaluate', net.evaluate(x).requiresGrad);
console.log('stepped', mseLoss(net.evaluate(x), y).item() < before);
const open = await net.answer(Promise.resolve(x));
net.serving = true;
console.log('answer', open.requiresGrad, (await net.answer(Promise.resolve(x))).requiresGrad);
console.log('one state', sameGate.run(() => isGradEnabled()), sameQuery === isGradEnabled);

// The types are there: these are mistakes.
// @ts-expect-error
() => net.evaluate('text');
// @ts-expect-error
() => new optim.SGD(net.parameters(), { rate: 1 });
// @ts-expect-error
() => tensor([1]).noSuchMethod();
`;
const printed = 'forward true evaluate false\nstepped true\nanswer true false\none state false true\n';

/** A program for Node: no `dom`, and the declarations of the packages are checked as well; `Scope`, which is for `using`, names `Symbol.dispose`. */
const strictLibraries = {
  lib: ['es2023'],
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  skipLibCheck: false,
};
/** What most projects have. */
const usualLibraries = { lib: ['es2022', 'dom'], types: [], skipLibCheck: true };

const commonJs = `
import core = require('@gradgate/core');
import { Linear } from '@gradgate/nn';
const w: core.Tensor = core.tensor([1, 2], { requiresGrad: true });
console.log(core.noGrad.run(() => w.mul(2)).requiresGrad, new Linear(2, 3)(w).shape.join());
`;

describe.skipIf(obstacle !== null)('the tarballs in a project of their own', () => {
  it('run in an ES module', () => {
    writeFileSync(
      join(project, 'plain.js'),
      `import { noGrad, tensor } from '@gradgate/core';
       import * as grad from '@gradgate/core/grad';
       import { Linear } from '@gradgate/nn';
       import pkg from '@gradgate/core/package.json' with { type: 'json' };
       const w = tensor([1, 2], { requiresGrad: true });
       w.mul(w).sum().backward();
       console.log(w.grad.toArray().join(), noGrad === grad.noGrad, new Linear(2, 3)(w).shape.join(), pkg.name);`,
    );
    const { status, stdout, stderr } = node('--disable-warning=ExperimentalWarning', 'plain.js');
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '2,4 true 3 @gradgate/core\n', stderr: '' });
  });

  it('keep their inner modules to themselves', () => {
    const { stderr } = node('--input-type=module', '--eval', `import '@gradgate/core/dist/index.js'`);
    expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  describe.each([
    ['5.9', join(root, 'test/node_modules/typescript')],
    ['7', join(root, 'node_modules/typescript')],
  ])('TypeScript %s', (version, typescript) => {
    it('is that version', () => {
      expect(JSON.parse(readFileSync(join(typescript, 'package.json'), 'utf8')).version).toMatch(
        new RegExp(`^${version.replace('.', '\\.')}\\.`),
      );
    });

    it.each([
      ['nodenext', 'standard'],
      ['nodenext', 'legacy'],
      ['bundler', 'standard'],
      ['bundler', 'legacy'],
    ])('checks a program under %s, in the %s dialect of decorators, and what it emits runs', (resolution, dialect) => {
      const name = `${version}-${resolution}-${dialect}`;
      const folder = join(project, name);
      mkdirSync(folder);
      const files: Record<string, string> = {
        'consumer.ts': consumer,
        'readme-core.ts': readme('core'),
        'readme-nn.ts': readme('nn'),
        ...(resolution === 'nodenext' ? { 'common.cts': commonJs } : {}),
        'tsconfig.json': JSON.stringify({
          compilerOptions: {
            target: 'es2022',
            module: resolution === 'bundler' ? 'esnext' : 'nodenext',
            moduleResolution: resolution,
            strict: true,
            noImplicitOverride: true,
            ...(resolution === 'nodenext' ? strictLibraries : usualLibraries),
            rootDir: '.',
            outDir: 'out',
            ...(dialect === 'legacy' ? { experimentalDecorators: true } : {}),
          },
        }),
      };
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);

      const tsc = node(join(typescript, 'bin/tsc'), '-p', folder);
      expect(tsc.stdout + tsc.stderr).toBe('');
      expect(tsc.status).toBe(0);

      const run = (file: string) => {
        const { status, stdout, stderr } = node(join(folder, 'out', file));
        expect({ file, status, stderr }).toEqual({ file, status: 0, stderr: '' });
        return stdout;
      };
      expect(run('consumer.js')).toBe(printed);
      for (const [readmeOf, lines] of Object.entries(printedByReadmes))
        expect(run(`readme-${readmeOf}.js`).trim().split('\n')).toEqual(lines);
      if (resolution === 'nodenext') expect(run('common.cjs')).toBe('false 3\n');
    });
  });

  describe('in CommonJS', () => {
    const program = `const { noGrad, tensor } = require('@gradgate/core');
      const { Linear } = require('@gradgate/nn');
      const w = tensor([1, 2], { requiresGrad: true });
      console.log(noGrad.run(() => w.mul(2)).requiresGrad, new Linear(2, 3)(w).shape.join());`;
    beforeAll(() => writeFileSync(join(project, 'plain.cjs'), program));

    it('require works without a flag or a warning on Node 20.19, 22.12 and newer, which load ES modules so', () => {
      const { status, stdout, stderr } = node('plain.cjs');
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'false 3\n', stderr: '' });
    });

    it('shares modules and modes with import', () => {
      writeFileSync(
        join(project, 'both.cjs'),
        `const core = require('@gradgate/core');
         import('@gradgate/core').then((m) => console.log(m.Tensor === core.Tensor, core.noGrad.run(m.isGradEnabled)));`,
      );
      expect(node('both.cjs').stdout).toBe('true false\n');
    });

    // What an older Node does.
    it('require is refused with the advice to use import() where Node does not load ES modules so', () => {
      const { status, stderr } = node('--no-experimental-require-module', 'plain.cjs');
      expect(status).toBe(1);
      expect(stderr).toMatch(/ERR_REQUIRE_ESM.*index\.js[\s\S]*dynamic import\(\)/);
    });
  });
});

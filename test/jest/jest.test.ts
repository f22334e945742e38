import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

// The set-ups of Jest that docs/testing.md shows, each with the packages as built.

const root = fileURLToPath(new URL('../..', import.meta.url));
const jest = join(root, 'node_modules/jest/bin/jest.js');
const page = readFileSync(join(root, 'docs/testing.md'), 'utf8');

/** The configuration under a heading of the page. */
const documented = (heading: string): string =>
  new RegExp(`^### ${heading}\\n.*?^\`\`\`js\\n// jest\\.config\\.\\w+\\n(.*?)^\`\`\``, 'ms').exec(page)![1]!;

const plain = `
  import { noGrad, ones, tensor } from '@gradgate/core';
  import * as matchers from '@gradgate/core/matchers';
  import { Linear, optim } from '@gradgate/nn';

  expect.extend(matchers);

  test('trains', () => {
    const net = new Linear(2, 3);
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
    net(tensor([1, 2])).sum().backward();
    optimizer.step();
    expect(net.weight.grad).toEqual(tensor([[1, 2], [1, 2], [1, 2]]));
    expect(net.weight.grad).not.toEqual(ones([3, 2]));
    expect(ones([2]).div(3)).toBeCloseToTensor([0.333333, 0.333333]);
    expect(noGrad.run(() => net(ones([2]))).requiresGrad).toBe(false);
  });
`;
const mocked = `
  test('a mocked module', () => {
    const f = jest.fn(new Linear(2, 3));
    expect(f(ones([2])).shape).toEqual([3]);
    expect(f).toHaveBeenCalledWith(ones([2]));
  });
`;
const decorated = `
  class Net extends Module {
    fc = new Linear(2, 1);
    @noGrad evaluate(x) { return this.fc(x); }
  }
  test('a decorated method', async () => {
    expect(new Net().evaluate(ones([2])).requiresGrad).toBe(false);
    expect(await noGrad.run(async () => { await null; return new Net().evaluate(ones([2])).requiresGrad; })).toBe(false);
  });
`.replace('evaluate(x)', 'evaluate(x: any)');

describe('Jest 30', () => {
  it.each([
    ['Babel', 'a.test.js', plain + mocked, []],
    ['ts-jest', 'a.test.ts', `${plain.replace('Linear, optim', 'Linear, Module, optim')}${mocked}${decorated}`, []],
    ['SWC', 'a.test.ts', `${plain.replace('Linear, optim', 'Linear, Module, optim')}${mocked}${decorated}`, []],
    ['ES modules', 'a.test.mjs', plain, ['--experimental-vm-modules']],
  ] as const)('%s: modules train, tensors are compared, mocks call', (heading, file, program, flags) => {
    // Below the workspace, where the packages are found.
    const folder = mkdtempSync(join(root, 'test/jest/.project-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'package.json'), '{}');
    // ts-jest wants a TypeScript before 7; a user has one beside it.
    symlinkSync(join(root, 'test/node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'jest.config.cjs'), documented(heading));
    writeFileSync(join(folder, file), file.endsWith('.ts') ? `// @ts-nocheck\n${program}` : program);
    const { status, stderr } = spawnSync(process.execPath, [...flags, jest, '--no-cache', '--rootDir', folder], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '', VITEST: '', NODE_ENV: 'test' },
    });
    expect(stderr).toMatch(/Tests: +[123] passed, [123] total/);
    expect(status).toBe(0);
  });
});

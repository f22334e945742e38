import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const url = (path: string): string => JSON.stringify(new URL(`../../../../packages/${path}`, import.meta.url).href);

/** Runs a program of its own, after `before`, under flags of Node. */
function run(flags: string[], before: string, body: string) {
  const program = `${before}
    const g = await import(${url('core/dist/index.js')});
    const { Conv2d, Linear } = await import(${url('nn/dist/index.js')});
    ${body}`;
  const args = [...flags, '--no-warnings', '--input-type=module', '--eval', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr: stderr.replace(/Warning: disabling flag .*\n/, '') };
}

const small = `const w = g.tensor([1, 2], { requiresGrad: true });
  w.mul(w).sum().backward();
  console.log(w.grad.toArray().join());`;
const large = `console.log(new Conv2d(1, 2, 3)(g.ones([1, 1, 5, 5])).shape.join());
  console.log(new Linear(256, 256)(g.ones([256, 256])).shape.join());`;

const refusing = `const refuse = () => { throw new WebAssembly.CompileError('refused by the policy'); };
  WebAssembly.Module = function () { refuse(); };`;

describe('an engine without WebAssembly', () => {
  it.each([
    ['--jitless', ['--jitless'], '', 'there is none here'],
    ['no global WebAssembly', [], 'delete globalThis.WebAssembly;', 'there is none here'],
    ['a policy against compiling', [], refusing, 'refused by the policy'],
  ])('%s: small operators work, kernels say what is missing and the ways out', (_, flags, before, why) => {
    const body = `${small} try { ${large} } catch (e) { console.log(e instanceof g.TensorError, e.message); }`;
    const { status, stdout, stderr } = run(flags, before, body);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [sum, refusal] = stdout.trim().split('\n');
    expect(sum).toBe('2,4');
    expect(refusal).toMatch(/^true /);
    for (const part of [why, 'wasm-unsafe-eval', '--jitless', 'lockdown mode']) expect(refusal).toContain(part);
  });
});

describe('everything works', () => {
  it.each([
    ['under --frozen-intrinsics', ['--frozen-intrinsics'], ''],
    ['under --disallow-code-generation-from-strings', ['--disallow-code-generation-from-strings'], ''],
    ['without SharedArrayBuffer', [], 'delete globalThis.SharedArrayBuffer;'],
    ['without FinalizationRegistry', [], 'delete globalThis.FinalizationRegistry;'],
  ])('%s', (_, flags, before) => {
    expect(run(flags, before, `${small} ${large}`)).toEqual({
      status: 0,
      stdout: '2,4\n1,2,3,3\n256,256\n',
      stderr: '',
    });
  });
});

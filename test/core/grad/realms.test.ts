import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { isGradEnabled, noGrad } from '@gradgate/core';
import { buildSync } from 'esbuild';
import { afterEach, describe, expect, it, vi } from 'vitest';

const entry = fileURLToPath(new URL('../../../packages/core/src/grad/index.ts', import.meta.url));
/** The grad folder as one CommonJS file, as another copy of the package would be. */
const bundle = buildSync({
  entryPoints: [entry],
  bundle: true,
  write: false,
  format: 'cjs',
  platform: 'node',
  target: 'es2022',
  define: { 'import.meta.url': '__filename' },
}).outputFiles[0]!.text;
const key = Symbol.for('gradgate.grad');
type Api = typeof import('@gradgate/core');
function load(code: string): Api {
  const module = { exports: {} as Api };
  new Function('module', 'exports', '__filename', code)(module, module.exports, '/copy/index.js');
  return module.exports;
}

const inWorker = (code: string, workerData: unknown = null) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(
      `${bundle}\n;const { parentPort, workerData } = require('node:worker_threads');\nconst grad = module.exports;\n${code}`,
      { eval: true, workerData },
    );
    worker.once('message', resolve);
    worker.once('error', reject);
  });

describe('J. workers, realms, copies', () => {
  afterEach(() => vi.resetModules());

  it('a worker starts enabled whatever its parent had, and does not change it', async () => {
    const result = noGrad.run(() =>
      inWorker(
        'const before = grad.isGradEnabled(); grad.setGradEnabled(false); parentPort.postMessage([before, grad.isGradEnabled()])',
      ),
    );
    expect(isGradEnabled()).toBe(true);
    expect(await result).toEqual([true, false]);
    expect(isGradEnabled()).toBe(true);
  });

  it('a captured mode carries over to a worker', async () => {
    const { captureGradMode } = await import('@gradgate/core');
    const mode = noGrad.run(captureGradMode);
    expect(
      await inWorker('parentPort.postMessage(grad.runInGradMode(workerData, () => grad.isGradEnabled()))', mode),
    ).toBe(false);
  });

  it('two copies in one process share one mode', async () => {
    const copy = load(bundle);
    expect(copy.noGrad).not.toBe(noGrad);
    expect(copy.noGrad.run(() => isGradEnabled())).toBe(false);
    expect(noGrad.run(() => copy.isGradEnabled())).toBe(false);
    expect(
      await noGrad.run(async () => {
        await null;
        return copy.isGradEnabled();
      }),
    ).toBe(false);
  });

  it('a copy of another version is refused with advice', () => {
    const realm = globalThis as any;
    const state = realm[key];
    realm[key] = { version: 99 };
    try {
      expect(() => load(bundle)).toThrow(/two versions of @gradgate\/core that cannot share one grad mode.*overrides/);
    } finally {
      realm[key] = state;
    }
  });

  it('a module reset does not leave a stale mode', async () => {
    vi.resetModules();
    const fresh = (await import('@gradgate/core')) as Api;
    expect(noGrad.run(() => fresh.isGradEnabled())).toBe(false);
    expect(fresh.isGradEnabled()).toBe(true);
  });
});

describe('without AsyncLocalStorage', () => {
  const fallback = (code: string): unknown => {
    const program = `process.getBuiltinModule = undefined;\n${bundle}\n;const grad = module.exports;\n(async () => { const out = []; ${code}; console.log(JSON.stringify(out)); })()`;
    return JSON.parse(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }));
  };

  it('guarding a promise or an async generator throws with advice, and never covers half', () => {
    expect(
      fallback(`
        for (const f of [async () => { await null; }, () => Promise.reject(new Error('lost')), async function* () { yield 1; }])
          try { grad.noGrad.run(f); out.push('no error'); } catch (e) { out.push(e.name + ': ' + e.message); }
        out.push(grad.isGradEnabled(), grad.followsAsync);`),
    ).toEqual([
      expect.stringMatching(
        /GradModeError: noGrad: the guarded function returned a promise.*noGrad\.async\(function\*/,
      ),
      expect.stringMatching(/returned a promise/),
      expect.stringMatching(/returned an async iterator/),
      true,
      false,
    ]);
  });

  it('synchronous code, generators, scopes and coroutines are covered in full', () => {
    expect(
      fallback(`
        out.push(grad.noGrad.run(() => grad.isGradEnabled()), grad.isGradEnabled());
        const g = grad.noGrad.wrap(function* () { yield grad.isGradEnabled(); yield grad.isGradEnabled(); })();
        out.push(g.next().value, grad.isGradEnabled(), g.next().value);
        const scope = grad.noGrad.enter(); out.push(grad.isGradEnabled()); scope[Symbol.dispose]();
        const p = grad.noGrad.async(function* () { const a = grad.isGradEnabled(); yield new Promise((r) => setTimeout(r, 5)); return [a, grad.isGradEnabled()]; })();
        await null; out.push(grad.isGradEnabled()); out.push(...(await p)); out.push(grad.isGradEnabled());`),
    ).toEqual([false, true, false, true, false, false, true, false, false, true]);
  });
});

describe('with AsyncContext.Variable, as the language is to have it', () => {
  /** A stand-in, and no AsyncLocalStorage to be found. */
  const program = (code: string): unknown =>
    JSON.parse(
      execFileSync(
        process.execPath,
        [
          '-e',
          `const { AsyncLocalStorage } = require('node:async_hooks');
          globalThis.AsyncContext = { Variable: class { #s = new AsyncLocalStorage(); run(v, f, ...a) { return this.#s.run(v, f, ...a); } get() { return this.#s.getStore(); } } };
          process.getBuiltinModule = undefined;
          ${bundle}
          const grad = module.exports; const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
          (async () => { const out = []; ${code}; console.log(JSON.stringify(out)); })()`,
        ],
        { encoding: 'utf8' },
      ),
    );

  it('async functions, generators, scopes and other modes are covered as with AsyncLocalStorage', () => {
    expect(
      program(`
        out.push(grad.followsAsync, grad.isGradEnabled());
        const look = async () => { const a = grad.isGradEnabled(); await sleep(2); return [a, grad.isGradEnabled()]; };
        out.push(...(await Promise.all([grad.noGrad.run(look), look(), grad.noGrad.wrap(() => grad.enableGrad.run(look))()])).flat());
        const g = grad.noGrad.wrap(async function* () { await null; yield grad.isGradEnabled(); { const s = grad.enableGrad.enter(); yield grad.isGradEnabled(); s[Symbol.dispose](); } yield grad.isGradEnabled(); })();
        for await (const v of g) out.push(v, grad.isGradEnabled());
        const mode = grad.defineMode('test', 0), one = mode.gate('one', 1);
        out.push(await one.run(async () => { await null; return mode.get(); }), mode.get());
        out.push(grad.noGrad.run(() => { grad.setGradEnabled(true); return grad.isGradEnabled(); }), grad.isGradEnabled());
        try { grad.noGrad.run(() => { throw 1; }); } catch { out.push(grad.isGradEnabled()); }`),
    ).toEqual([
      true,
      true,
      false,
      false,
      true,
      true,
      true,
      true,
      false,
      true,
      true,
      true,
      false,
      true,
      1,
      0,
      true,
      true,
      true,
    ]);
  });
});

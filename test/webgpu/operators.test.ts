import { readFileSync } from 'node:fs';
import { DeviceError, DTypeError, setDefaultDevice, type Tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { cases } from '../core/operators.js';
import { needGpu } from './gpu.js';

const gpu = await needGpu('the table of operators on webgpu');

/** The case that makes float64. */
const ofCases = /no float64/;

/** What the page says is not there: by the names of the table of operators. */
const page = readFileSync(new URL('../../docs/webgpu.md', import.meta.url), 'utf8');
const rows = page.match(/^\|[^|]*\| an error/gm)!.join('');
const missing = [...rows.matchAll(/`((?:linalg|special)\.\w+|repeatInterleave)`/g)].map(([, name]) => name!);

async function expectClose(got: Tensor | null, want: Tensor | null, limit: number, which: string): Promise<void> {
  expect(got?.shape, which).toEqual(want?.shape);
  if (got === null || want === null) return;
  expect(got.dtype, which).toBe(want.dtype);
  const values = await got.data();
  const expected = want.toTypedArray();
  const scale = Math.max(1, ...Array.from(expected, (v) => (Number.isFinite(v) ? Math.abs(v) : 0)));
  expected.forEach((w, i) => {
    const v = values[i]!;
    if (Object.is(v, w) || v === w || (Number.isNaN(v) && Number.isNaN(w))) return;
    const error = Math.abs(v - w) / scale;
    if (!(error <= limit)) expect.fail(`${which}, element ${i}: ${v}, expected ${w}, ${error}`);
  });
}

/** How far results may be apart: float16 has 11 digits, and what is computed from what was rounded apart is apart by more, gradients twice that. */
const dtypes = [
  ['float32', 1e-5],
  ['float16', 2 ** -9],
] as const;

describe.skipIf(!gpu).each(dtypes)('operators on webgpu in %s', (dtype, limit) => {
  const refused = new Map<string, string>();

  it.each(Object.keys(cases))('%s gives what it gives on the host', async (name) => {
    const [fn, ...makers] = cases[name]!;
    const inputs = makers.map((make) => {
      const t = make();
      return t.detach().to(dtype).requiresGrad_(t.requiresGrad);
    });
    const there = inputs.map((t) => t.detach().to(gpu!).requiresGrad_(t.requiresGrad));
    let got: Tensor[];
    try {
      setDefaultDevice(gpu!);
      got = [fn(...there)].flat();
      got[0]!.sum().backward();
    } catch (error) {
      if (!(error instanceof DeviceError || error instanceof DTypeError)) throw error;
      refused.set(name, (error as Error).message);
      return;
    } finally {
      setDefaultDevice('cpu');
    }
    const want = [fn(...inputs)].flat();
    want[0]!.sum().backward();
    for (const [i, t] of want.entries()) await expectClose(got[i]!, t, limit, `result ${i}`);
    for (const [i, t] of inputs.entries()) await expectClose(there[i]!.grad, t.grad, 2 * limit, `gradient ${i}`);
  });

  it('all operators run there but for those that are listed', () => {
    const all = Object.keys(cases).length;
    console.log(`operators on webgpu in ${dtype}: ${all - refused.size} of ${all}`);
    const own = [...refused].filter(([, message]) => !ofCases.test(message)).map(([name]) => name);
    expect(own.filter((name) => !missing.includes(name))).toEqual([]);
    expect(missing.filter((name) => !refused.has(name))).toEqual([]);
    expect([...refused.keys()].filter((name) => !own.includes(name))).toEqual(['to']);
  });
});

// The stored random programs of test/fuzz on the device, beside the host: sizes of 0 and 1, views, ties, NaN and infinities.
import { readFileSync } from 'node:fs';
import { DeviceError, type DType, setDefaultDevice, type Tensor, tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { programOf, type TorchCase } from '../fuzz/torchCases.js';
import { needGpu } from './gpu.js';

const gpu = await needGpu('random programs on webgpu');

/** Elements are float32 there, whose sums are taken in float32 too. */
const tolerance = 2e-5;
const dtypes = { f: 'float32', d: 'float32', i: 'int32', b: 'bool' } as const satisfies Record<string, DType>;

/** The result of a program and the gradients of its inputs. */
function run(c: TorchCase, device: string): Tensor[] {
  setDefaultDevice(device);
  try {
    const inputs = c.in.map(([kind, shape, data]) =>
      tensor(
        Float64Array.from(data, (v) => v ?? Number.NaN),
        { shape, dtype: dtypes[kind], requiresGrad: kind === 'f' || kind === 'd' },
      ),
    );
    const out = programOf(c)(inputs);
    if (out.requiresGrad)
      out.backward(
        tensor(
          Float32Array.from({ length: out.numel }, (_, k) => (k % 5) + 0.5),
          { shape: out.shape, dtype: out.dtype },
        ),
      );
    return [out.detach(), ...inputs.flatMap(({ grad }) => grad ?? [])];
  } finally {
    setDefaultDevice('cpu');
  }
}

const attempt = (c: TorchCase, device: string): Tensor[] | Error => {
  try {
    return run(c, device);
  } catch (error) {
    return error as Error;
  }
};

async function difference(c: TorchCase): Promise<string | null> {
  const [got, want] = [attempt(c, gpu!), attempt(c, 'cpu')];
  if (got instanceof DeviceError) return null;
  if (got instanceof Error || want instanceof Error)
    return String(got) === String(want) ? null : `${got}, on the host ${want}`;
  if (got.length !== want.length) return `${got.length} gradients, on the host ${want.length}`;
  for (const [i, t] of want.entries()) {
    const there = got[i]!;
    if (there.device !== gpu) return `the result is on ${there.device}`;
    if (`${there.dtype} ${there.shape}` !== `${t.dtype} ${t.shape}`)
      return `${i}: ${there.dtype}[${there.shape}], on the host ${t.dtype}[${t.shape}]`;
    const [a, b] = [await there.data(), [...t.toTypedArray()]];
    const scale = b.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1);
    const at = b.findIndex(
      (v, k) => !(a[k] === v || (Number.isNaN(a[k]) && Number.isNaN(v)) || Math.abs(a[k]! - v) <= tolerance * scale),
    );
    if (at >= 0) return `${i === 0 ? 'value' : `gradient ${i - 1}`}[${at}]: ${a[at]}, on the host ${b[at]}`;
  }
  return null;
}

describe.skipIf(!gpu)('random programs on webgpu', () => {
  // Others: FILES=/tmp/a.jsonl,/tmp/b.jsonl EVERY=1, as test/fuzz/torch_cases.py writes them.
  it.each(process.env['FILES']?.split(',') ?? ['torch.jsonl', 'torch_layers.jsonl'])(
    '%s',
    async (file) => {
      const every = Number(process.env['EVERY'] ?? 16);
      const lines = readFileSync(new URL(file, new URL('../fuzz/', import.meta.url)), 'utf8')
        .trim()
        .split('\n');
      const wrong: string[] = [];
      let count = 0;
      for (let i = 0; i < lines.length; i += every) {
        const c = JSON.parse(lines[i]!.replaceAll("'float64'", "'float32'")) as TorchCase;
        count++;
        const found = await difference(c);
        if (found !== null) wrong.push(`${c.s}: ${c.js}\n  ${found}\n  ${JSON.stringify(c.in).slice(0, 300)}`);
      }
      console.log(`${count} programs of ${file} on webgpu, ${wrong.length} differences`);
      expect(wrong.join('\n')).toBe('');
    },
    0,
  );
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  full,
  Generator,
  manualSeed,
  randn,
  registerBackend,
  type Tensor,
  TensorError,
  tensor,
  zeros,
} from '@gradgate/core';
import * as nn from '@gradgate/nn';
import {
  decodeCheckpoint,
  decodeNpy,
  decodeNpz,
  decodeSafetensors,
  encodeCheckpoint,
  encodeNpy,
  encodeNpz,
  encodeSafetensors,
  Linear,
  optim,
  ReLU,
  Sequential,
} from '@gradgate/nn';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { far } from '../../core/backend/far.js';

registerBackend(far);

/** Made by test/golden/make_files.py. */
const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../golden/files/${name}`, import.meta.url)));
const folder = () => mkdtempSync(join(tmpdir(), 'gradgate-save-'));

const own = (): Record<string, Tensor> => ({
  'layer.weight': tensor([
    [-2.5, -1.5, -0.5],
    [0.5, 1.5, 2.5],
  ]),
  'layer.bias': tensor([0.1, Number.NaN, Number.POSITIVE_INFINITY]),
  wide: tensor([1 / 3, -1e300], { dtype: 'float64' }),
  steps: tensor(7, { dtype: 'int32' }),
  mask: tensor([true, false, true]),
  empty: zeros([0, 4]),
});
const plain = (tensors: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(tensors).map(([k, t]) => [k, [t.dtype, t.shape, [...t.toTypedArray()]]]));

describe('safetensors', () => {
  it('reads what Python wrote', () => {
    const { tensors, metadata } = decodeSafetensors(golden('own.safetensors'));
    expect(plain(tensors)).toEqual(plain(own()));
    expect(metadata).toEqual({ framework: 'gradgate é' });
  });

  it('writes the very bytes that Python writes, so Python reads them', () => {
    const python = golden('own.safetensors');
    const ours = encodeSafetensors(own(), { framework: 'gradgate é' });
    const headers = [python, ours].map((b) =>
      JSON.parse(
        new TextDecoder().decode(b.subarray(8, 8 + Number(new DataView(b.buffer, b.byteOffset).getBigUint64(0, true)))),
      ),
    );
    expect(headers[1]).toEqual(headers[0]);
    const data = (b: Uint8Array) => b.subarray(8 + Number(new DataView(b.buffer, b.byteOffset).getBigUint64(0, true)));
    expect([...data(ours)]).toEqual([...data(python)]);
  });

  it('is read by Python, where it has safetensors', (context) => {
    const file = join(folder(), 'x.safetensors');
    writeFileSync(file, encodeSafetensors(own()));
    const script =
      'import sys; from safetensors.numpy import load_file; t = load_file(sys.argv[1]); print(t["layer.weight"].sum(), t["steps"], t["empty"].shape)';
    let out: string;
    try {
      out = execFileSync('python3', ['-c', script, file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return context.skip('python3 has no safetensors');
    }
    expect(out.trim()).toBe('0.0 7 (0, 4)');
  });

  it('reads each kind of number into its own dtype', () => {
    const { tensors } = decodeSafetensors(golden('other.safetensors'));
    expect(plain(tensors)).toEqual({
      half: ['float16', [5], [1.5, -0, 65504, 2 ** -24, Number.POSITIVE_INFINITY]],
      long: ['int64', [1, 2], [1, -2]],
      byte: ['uint8', [2], [0, 255]],
      short: ['int16', [1], [-3]],
    });
  });

  it('writes views as what they show, and reads every tensor back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
        fc.constantFrom(
          ...([
            'float64',
            'float32',
            'float16',
            'bfloat16',
            'int64',
            'int32',
            'int16',
            'int8',
            'uint8',
            'bool',
          ] as const),
        ),
        (shape, dtype) => {
          const t = randn(shape).mul(50).to(dtype);
          const view = t.ndim > 1 ? t.transpose(0, 1) : t;
          const { tensors } = decodeSafetensors(encodeSafetensors({ view }));
          expect(plain(tensors)).toEqual(plain({ view }));
          if (dtype !== 'bfloat16') expect(plain({ view: decodeNpy(encodeNpy(view)) })).toEqual(plain({ view }));
        },
      ),
    );
  });

  const file = (header: unknown, data = 0): Uint8Array => {
    const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
    const out = new Uint8Array(8 + text.length + data);
    new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
    out.set(text, 8);
    return out;
  };
  const entry = (over: object) => file({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...over } }, 8);
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /a file of 0 bytes is not a/],
    ['a huge header', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127), /claims 9223372036854775807 bytes/],
    ['a truncated header', golden('own.safetensors').subarray(0, 50), /truncated/],
    [
      'truncated data',
      golden('own.safetensors').subarray(0, -1),
      /describes \d+ bytes of tensors, and the file has \d+/,
    ],
    ['data left over', Uint8Array.from([...golden('own.safetensors'), 0]), /describes \d+ bytes/],
    ['no JSON', file('{"a": '), /not JSON/],
    ['no text', file('\u{fffd}').map((v, i) => (i >= 8 ? 0xff : v)), /not JSON/],
    ['a list', file([]), /not an object/],
    ['an unknown dtype', entry({ dtype: 'F8' }), /dtype F8; known are/],
    ['a dtype of the prototype', entry({ dtype: 'constructor' }), /dtype constructor/],
    ['a negative size', entry({ shape: [-2] }), /no valid shape/],
    ['a size beyond all', entry({ shape: [2 ** 40, 2 ** 40] }), /offsets span 8/],
    ['offsets beyond the end', entry({ shape: [4], data_offsets: [0, 16] }), /describes 16 bytes/],
    ['offsets backwards', entry({ data_offsets: [8, 0] }), /offsets span -8/],
    ['a gap', entry({ shape: [1], data_offsets: [4, 8] }), /starts at 4, expected 0/],
    [
      'an overlap',
      file(
        {
          a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
          b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
        },
        8,
      ),
      /neither overlap/,
    ],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }), /metadata/],
    [
      'a bool of 2',
      file({ a: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, 1).map((v, i, all) =>
        i === all.length - 1 ? 2 : v,
      ),
      /neither true nor false/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(message);
    expect(() => decodeSafetensors(bytes)).toThrow(TensorError);
  });

  it('never crashes on damaged files: it reads them, or refuses them by name', () => {
    const good = golden('own.safetensors');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(good.length),
        (changes, length) => {
          const bad = good.slice(0, length % 7 === 0 ? length : good.length);
          for (const [at, value] of changes) if (at < bad.length) bad[at] = value;
          try {
            decodeSafetensors(bad);
          } catch (error) {
            expect(error).toBeInstanceOf(TensorError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('does not set prototypes from names', () => {
    const { tensors } = decodeSafetensors(
      file('{"__proto__": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}'),
    );
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype);
  });
});

describe('npy and npz', () => {
  it('read what NumPy wrote, also in Fortran order and with the highest byte first', () => {
    expect(decodeNpy(golden('c.npy')).toArray()).toEqual([
      [-2.5, -1.5, -0.5],
      [0.5, 1.5, 2.5],
    ]);
    const fortran = decodeNpy(golden('fortran.npy'));
    expect([fortran.shape, [...fortran.toTypedArray()]]).toEqual([[2, 3, 4], Array.from({ length: 24 }, (_, i) => i)]);
    expect(decodeNpy(golden('big.npy')).toArray()).toEqual([1, -2, 300]);
    expect(decodeNpy(golden('scalar.npy')).item()).toBe(2.5);
    expect(plain(decodeNpz(golden('plain.npz')))).toMatchObject({ mask: ['bool', [3], [1, 0, 1]] });
    expect(decodeNpz(golden('packed.npz'))['long']!.sum().item()).toBe(44850);
  });

  it('write the bytes that NumPy writes', () => {
    expect([...encodeNpy(own()['layer.weight']!)]).toEqual([...golden('c.npy')]);
    expect([...encodeNpy(tensor(2.5))]).toEqual([...golden('scalar.npy')]);
    for (const compress of [false, true])
      expect(plain(decodeNpz(encodeNpz(own(), { compress })))).toEqual(plain(own()));
  });

  it('refuse damaged and hostile files', () => {
    const good = golden('c.npy');
    expect(() => decodeNpy(good.subarray(0, 40))).toThrow(/truncated/);
    expect(() => decodeNpy(good.subarray(0, -1))).toThrow(/takes 24 bytes, and the file has 23/);
    expect(() => decodeNpy(new Uint8Array(20))).toThrow(/not a .npy file/);
    const edit = (from: string, to: string) =>
      Uint8Array.from([...new TextDecoder('latin1').decode(good).replace(from, to)].map((c) => c.charCodeAt(0)));
    expect(() => decodeNpy(edit("'<f4'", "'|O' "))).toThrow(/dtype \|O cannot be read/);
    expect(() => decodeNpy(edit('(2, 3)', '(9, 9)'))).toThrow(/takes 324 bytes/);
    expect(() => decodeNpy(edit('shape', 'shade'))).toThrow(/no valid shape/);
    expect(() => decodeNpz(golden('packed.npz'), { maxBytes: 1000 })).toThrow(/maxBytes is 1000/);
    expect(() => decodeNpz(good)).toThrow(/cannot be unpacked/);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const bad = good.slice();
          for (const [at, value] of changes) bad[at] = value;
          try {
            decodeNpy(bad);
          } catch (error) {
            expect(error).toBeInstanceOf(TensorError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

const net = () => new Sequential(new Linear(3, 8), new ReLU(), new Linear(8, 1));

/** A run of training that can be stopped after any epoch: everything it draws comes from its generator. */
function run() {
  const generator = new Generator(5);
  const model = net();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.05, amsgrad: true });
  const scheduler = new optim.StepLR(optimizer, { stepSize: 2, gamma: 0.5 });
  const epoch = () => {
    const x = randn([16, 3], { generator });
    optimizer.zeroGrad();
    const loss = model(x)
      .sub(x.sum(1, { keepdim: true }))
      .square()
      .mean();
    loss.backward();
    optimizer.step();
    scheduler.step();
    return loss.item();
  };
  return { generator, model, optimizer, scheduler, epoch };
}

describe('checkpoints', () => {
  it('a run that is resumed goes on as if it had never stopped', async () => {
    manualSeed(0);
    const whole = run();
    const path = join(folder(), 'run.safetensors');
    const start = encodeCheckpoint({ model: whole.model });
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) losses.push(whole.epoch());
    const { generator, model, optimizer, scheduler } = whole;
    await nn.saveCheckpoint(path, {
      generator,
      model,
      optimizer,
      scheduler,
      epoch: 3,
      best: Number.POSITIVE_INFINITY,
      notes: ['a', null, true],
    });
    for (let i = 0; i < 3; i++) losses.push(whole.epoch());

    const other = run();
    decodeCheckpoint(start, { model: other.model });
    other.epoch();
    const { epoch, best, notes } = await nn.loadCheckpoint(path, {
      generator: other.generator,
      model: other.model,
      optimizer: other.optimizer,
      scheduler: other.scheduler,
      epoch: 0,
      best: 0,
      notes: [] as (string | null | boolean)[],
    });
    expect([epoch, best, notes]).toEqual([3, Number.POSITIVE_INFINITY, ['a', null, true]]);
    expect([other.epoch(), other.epoch(), other.epoch()]).toEqual(losses.slice(3));
    expect(plain(other.model.stateDict())).toEqual(plain(whole.model.stateDict()));
  });

  it.each([
    'SGD',
    'Adam',
    'AdamW',
    'RMSprop',
    'Adagrad',
    'Adadelta',
    'LBFGS',
    'Muon',
    'Lion',
    'RAdam',
    'NAdam',
    'Adamax',
  ] as const)('%s goes on as it was', (name) => {
    const make = () => {
      manualSeed(3);
      const w = randn([3, 2], { dtype: 'float64', requiresGrad: true });
      const optimizer = new (optim as any)[name]([w], name === 'SGD' ? { lr: 0.1, momentum: 0.9 } : {});
      const step = () =>
        optimizer.step(() => {
          optimizer.zeroGrad();
          const loss = w.square().sum();
          loss.backward();
          return loss;
        });
      return { w, optimizer, step };
    };
    const a = make();
    for (let i = 0; i < 3; i++) a.step();
    const bytes = encodeCheckpoint({ optimizer: a.optimizer });
    const weights = a.w.toArray();
    const b = make();
    decodeCheckpoint(bytes, { optimizer: b.optimizer });
    b.w.detach().copy_(tensor(weights as number[][], { dtype: 'float64' }));
    for (let i = 0; i < 2; i++) {
      a.step();
      b.step();
    }
    expect(b.w.toArray()).toEqual(a.w.toArray());
  });

  it('schedulers in a row, and those that follow a metric, go on as they were', () => {
    const make = () => {
      const optimizer = new optim.SGD([zeros([1], { requiresGrad: true })], { lr: 1 });
      const row = new optim.SequentialLR(
        [
          new optim.LinearLR(optimizer, { startFactor: 0.1, totalIters: 3 }),
          new optim.ExponentialLR(optimizer, { gamma: 0.5 }),
        ],
        [3],
      );
      const other = new optim.SGD([zeros([1], { requiresGrad: true })], { lr: 1 });
      const plateau = new optim.ReduceLROnPlateau(other, { patience: 1, cooldown: 1 });
      const step = (i: number) => {
        row.step();
        plateau.step(i < 3 ? 3 - i : 5);
        return [optimizer.paramGroups[0]!.lr, other.paramGroups[0]!.lr];
      };
      return { parts: { optimizer, row, other, plateau }, step };
    };
    for (const stop of [0, 2, 3, 5]) {
      const whole = make();
      for (let i = 0; i < stop; i++) whole.step(i);
      const bytes = encodeCheckpoint(whole.parts);
      const resumed = make();
      decodeCheckpoint(bytes, resumed.parts);
      for (let i = stop; i < 9; i++) expect(resumed.step(i)).toEqual(whole.step(i));
    }
    expect(() => make().parts.row.loadStateDict({})).toThrow(/not a state of 2 schedulers/);
    expect(() => make().parts.plateau.loadStateDict({ best: 'low' })).toThrow(/not a state/);
  });

  it('a part that does not fit leaves all parts as they were', () => {
    const a = run();
    a.epoch();
    const bytes = encodeCheckpoint({ model: a.model, optimizer: a.optimizer, generator: a.generator });
    const model = net();
    const other = new Linear(2, 2);
    const optimizer = new optim.Adam(other.parameters());
    const before = plain(model.stateDict());
    expect(() => decodeCheckpoint(bytes, { model, optimizer })).toThrow(/groups of 4 parameters do not fit/);
    expect(plain(model.stateDict())).toEqual(before);
    expect(() => decodeCheckpoint(bytes, { model, scheduler: a.scheduler })).toThrow(
      /the file has no scheduler; it has model, optimizer, generator/,
    );
    expect(() => decodeCheckpoint(encodeSafetensors(model.stateDict()), { model })).toThrow(/not a checkpoint/);
    expect(() => encodeCheckpoint({ when: new Date() as never })).toThrow(/when is Date, which cannot be saved/);
  });

  it('a file is written as a whole or not at all', async () => {
    const dir = folder();
    const path = join(dir, 'm.safetensors');
    await nn.save(path, own());
    const before = readFileSync(path);
    await expect(nn.save(join(dir, 'none', 'm.safetensors'), own())).rejects.toThrow(/ENOENT/);
    await expect(nn.save(path, { a: 1 as never })).rejects.toThrow(/'a' must be a Tensor/);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dir)).toEqual(['m.safetensors']);
    await nn.save(path, { only: zeros([1]) });
    expect(Object.keys(await nn.load(path))).toEqual(['only']);
    expect(readdirSync(dir)).toEqual(['m.safetensors']);
  });

  it.each([0, Date.UTC(2200, 0)])('archives are the same bytes at any time: %s', (now) => {
    const tensors = { x: tensor([1, 2]) };
    const bytes = encodeNpz(tensors);
    vi.setSystemTime(now);
    onTestFinished(() => void vi.useRealTimers());
    expect(encodeNpz(tensors)).toEqual(bytes);
  });

  it('numpy files go through the disk', async () => {
    const dir = folder();
    await nn.saveNumpy(join(dir, 'a.npy'), own()['wide']!);
    await nn.saveNumpy(join(dir, 'a.npz'), own());
    expect((await nn.loadNpy(join(dir, 'a.npy'))).toArray()).toEqual(own()['wide']!.toArray());
    expect(plain(await nn.loadNpz(join(dir, 'a.npz')))).toEqual(plain(own()));
  });
});

it.each([[['cpu']], [['far']], [['cpu', 'far']]])(
  'what is saved is what there is at the call, on %j',
  async (devices) => {
    const tensors = Object.fromEntries(devices.map((device) => [device, full([3], 1, { device })]));
    const [dir, first] = [folder(), tensors[devices[0]!]!];
    const read: Record<string, Tensor> = {};
    const part = { stateDict: () => tensors, loadStateDict: (state: typeof tensors) => Object.assign(read, state) };
    const saved = [
      nn.save(join(dir, 'w.safetensors'), tensors),
      nn.saveCheckpoint(join(dir, 'run.safetensors'), { part, epoch: 1 }),
      nn.saveNumpy(join(dir, 'w.npy'), first),
      nn.saveNumpy(join(dir, 'w.npz'), tensors),
    ];
    for (const t of Object.values(tensors)) t.mul_(5);
    await Promise.all(saved);
    const want = Object.fromEntries(devices.map((device) => [device, [1, 1, 1]]));
    const { epoch } = await nn.loadCheckpoint(join(dir, 'run.safetensors'), { part, epoch: 0 });
    const lists = (found: Record<string, Tensor>) =>
      Object.fromEntries(Object.entries(found).map(([name, t]) => [name, t.toArray()]));
    expect(lists(await nn.load(join(dir, 'w.safetensors')))).toEqual(want);
    expect([epoch, lists(read)]).toEqual([1, want]);
    expect((await nn.loadNpy(join(dir, 'w.npy'))).toArray()).toEqual([1, 1, 1]);
    expect(lists(await nn.loadNpz(join(dir, 'w.npz')))).toEqual(want);
  },
);

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { arange, Generator, ones, type Tensor, TensorError, tensor, zeros } from '@gradgate/core';
import * as nn from '@gradgate/nn';
import {
  data,
  decodeCheckpoint,
  decodeNpy,
  decodeNpz,
  decodeSafetensors,
  encodeCheckpoint,
  encodeNpy,
  encodeNpz,
  encodeSafetensors,
} from '@gradgate/nn';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';

const safetensors = (header: string | Uint8Array, bytes = 0): Uint8Array => {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const out = new Uint8Array(8 + text.length + bytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  return out;
};
const refused = (fn: () => unknown, message: RegExp) => {
  let error: unknown;
  try {
    fn();
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(TensorError);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message.length).toBeLessThan(1000);
};
/** The bytes with one bit of one byte turned. */
const flip = (bytes: Uint8Array, at: number, bit = 0) => bytes.map((v, i) => (i === at ? v ^ (1 << bit) : v));

describe('hostile headers are refused before they are built', () => {
  const size = 80e6;
  const repeat = (part: string, before = '', after = '') => {
    const text = Buffer.alloc(size - (size % part.length), part);
    return safetensors(Buffer.concat([Buffer.from(before), text, Buffer.from(after)]));
  };
  it.each<[string, () => Uint8Array]>([
    ['nested arrays', () => repeat('[')],
    ['nested objects', () => repeat('{"a":')],
    ['a shape of 40 million sizes', () => repeat('1,', '{"a":{"dtype":"F32","shape":[', '1],"data_offsets":[0,4]}}')],
    ['millions of empty entries', () => repeat('"":{},', '{', '"a":{}}')],
    ['millions of empty tensors', () => repeat('"":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},', '{', '"a":1}')],
  ])('%s', (_, make) => {
    const bytes = make();
    expect(bytes.length).toBeGreaterThan(size * 0.9);
    refused(() => decodeSafetensors(bytes), /nested too deep, or has more entries than any model/);
  });

  it('sizes beside a 0 are counted: what goes through the rows would not come back', () => {
    const idx = Uint8Array.of(0, 0, 8, 3, ...[255, 255, 255, 255], ...[255, 255, 255, 255], ...[0, 0, 0, 0]);
    refused(
      () => data.readIdx(idx),
      /shape \[4294967295, 4294967295, 0\] has 0 elements, .* at most .* 2\^24 rows of none/,
    );
    const npy = encodeNpy(zeros([1111, 0]));
    const text = new TextDecoder('latin1').decode(npy).replace('(1111, 0)', '(9e9, 0)'.padEnd(9));
    refused(() => decodeNpy(Uint8Array.from(text, (c) => c.charCodeAt(0))), /no valid shape/);
    const long = text.replace('(9e9, 0) ', '(99999999, 0)').replace('    \n', '\n');
    refused(() => decodeNpy(Uint8Array.from(long, (c) => c.charCodeAt(0))), /shape \[99999999, 0\] has 0 elements/);
  });

  it('names and values of any length are shortened in messages', () => {
    const long = 'x'.repeat(5_000_000);
    refused(
      () => decodeSafetensors(safetensors(`{"${long}":{"dtype":"F4","shape":[],"data_offsets":[0,4]}}`)),
      /dtype F4/,
    );
    refused(
      () => decodeSafetensors(safetensors(`{"a":{"dtype":"${long}","shape":[],"data_offsets":[0,4]}}`)),
      /known are/,
    );
    refused(
      () => decodeSafetensors(safetensors(`{"${long}":{"dtype":"F32","shape":[],"data_offsets":[1,5]}}`)),
      /starts at 1/,
    );
    refused(() => decodeSafetensors(safetensors(`{"a": ${long}}`)), /not JSON/);
  });

  it('.npy: long headers and many dimensions', () => {
    const npy = (header: string) => {
      const head = new Uint8Array(12 + header.length);
      head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0]);
      new DataView(head.buffer).setUint32(8, header.length, true);
      head.set(strToU8(header, true), 12);
      return head;
    };
    const shape = (n: number) => `{'descr': '<f4', 'fortran_order': False, 'shape': (${'1,'.repeat(n)}), }`;
    refused(() => decodeNpy(npy(shape(2_000_000))), /the header claims \d+ bytes; at most 65535 are read/);
    refused(() => decodeNpy(npy(shape(100))), /100 dimensions/);
    refused(
      () => decodeNpy(npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (${'9'.repeat(400)},), }`)),
      /takes Infinity bytes/,
    );
  });
});

describe('checksums', () => {
  const names = { a: arange(100).float(), b: tensor([1, 2, 3]) };

  it('every bit of the names and tensors in a .npz counts', () => {
    for (const compress of [false, true]) {
      const good = encodeNpz(names, { compress });
      const values = (t: Record<string, Tensor>) => Object.entries(t).map(([k, v]) => [k, v.toArray()]);
      for (let at = 0; at < good.length; at++) {
        const bad = flip(good, at, at % 8);
        try {
          // What is not covered by a sum, such as a date, may change nothing.
          const tensors = decodeNpz(bad);
          expect(values(tensors)).toEqual(values(names));
        } catch (error) {
          expect(error).toBeInstanceOf(TensorError);
        }
      }
    }
    const good = encodeNpz(names);
    refused(() => decodeNpz(flip(good, 30 + 5 + 128 + 10)), /'a.npy' is damaged: its checksum is wrong/);
  });

  it('a .gz is checked too', () => {
    const idx = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 40, ...Array.from({ length: 40 }, (_, i) => i));
    const good = new Uint8Array(gzipSync(idx, { level: 0 }));
    expect(data.readIdx(good).sum().item()).toBe(780);
    expect(
      data
        .readIdx(new Uint8Array(gzipSync(idx)))
        .sum()
        .item(),
    ).toBe(780);
    refused(() => data.readIdx(flip(good, 40)), /checksum/);
    for (let length = 2; length < good.length; length++)
      expect(() => data.readIdx(good.subarray(0, length))).toThrow(TensorError);
  });
});

describe('bombs', () => {
  it('.npz: sizes are believed only as far as the packed bytes can hold them', () => {
    const good = encodeNpz({ a: zeros([1000]) }, { compress: true });
    const directory = new DataView(good.buffer).getUint32(good.length - 6, true);
    const claim = (size: number) => {
      const bad = good.slice();
      new DataView(bad.buffer).setUint32(directory + 24, size, true);
      return bad;
    };
    refused(() => decodeNpz(claim(0xfffffff0)), /'a.npy' claims 4294967280 bytes out of \d+/);
    refused(() => decodeNpz(claim(4000)), /damaged/);
    refused(() => decodeNpz(claim(5000)), /has 4128 bytes, and the file says 5000/);
    refused(() => decodeNpz(good, { maxBytes: 4000 }), /maxBytes is 4000/);
  });

  it('.npz: members that share their bytes', () => {
    const one = zipSync({ 'a.npy': encodeNpy(zeros([1000])) }, { level: 0 });
    const directory = new DataView(one.buffer).getUint32(one.length - 6, true);
    const entry = one.slice(directory, one.length - 22);
    const many = 50;
    const out = new Uint8Array(directory + entry.length * many + 22);
    out.set(one.subarray(0, directory));
    for (let i = 0; i < many; i++) {
      const copy = entry.slice();
      copy[46] = 65 + i;
      out.set(copy, directory + i * entry.length);
    }
    out.set(one.subarray(one.length - 22), out.length - 22);
    new DataView(out.buffer).setUint16(out.length - 22 + 10, many, true);
    refused(() => decodeNpz(out), /members overlap/);
  });

  it('.npz: no zip file, another method, twice the same name', () => {
    refused(() => decodeNpz(new Uint8Array(0)), /not a complete zip file/);
    refused(() => decodeNpz(new Uint8Array(300_000)), /not a complete zip file/);
    const good = encodeNpz({ a: zeros([1]) });
    const directory = new DataView(good.buffer).getUint32(good.length - 6, true);
    refused(() => decodeNpz(good.map((v, i) => (i === directory + 10 ? 12 : v))), /packed by method 12/);
    const two = encodeNpz({ a: zeros([1]), b: zeros([1]) });
    refused(
      () => decodeNpz(two.map((v) => (v === 98 ? 97 : v))),
      /two members 'a.npy'|not a complete zip file|not where/,
    );
  });

  it('.gz: what it unpacks to is limited', () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(20_000_000)));
    expect(bomb.length).toBeLessThan(60_000);
    refused(() => data.readIdx(bomb, { maxBytes: 1_000_000 }), /more than the 1000000 bytes/);
    refused(() => data.readIdx(Uint8Array.of(0, 0, 8, 200, ...new Array(900).fill(0))), /200 dimensions/);
  });
});

describe("names such as '__proto__'", () => {
  const odd = ['__proto__', 'constructor', 'hasOwnProperty', '', 'a.b', 'é', '__metadata'];
  const tensors = Object.fromEntries(odd.map((name, i) => [name, tensor([i])]));
  const numbers = (t: Record<string, Tensor>) => odd.map((name) => (Object.hasOwn(t, name) ? t[name]!.item() : null));

  it('are names like any others in .safetensors, .npz and checkpoints', () => {
    const expected = odd.map((_, i) => i);
    const { tensors: read, metadata } = decodeSafetensors(
      encodeSafetensors(tensors, Object.fromEntries(odd.map((n) => [n, n]))),
    );
    expect(numbers(read)).toEqual(expected);
    expect(Object.keys(metadata).sort()).toEqual([...odd].sort());
    for (const compress of [true, false])
      expect(numbers(decodeNpz(encodeNpz(tensors, { compress })))).toEqual(expected);
    const part = {
      got: {} as Record<string, Tensor>,
      stateDict: () => tensors,
      loadStateDict(s: Record<string, Tensor>) {
        this.got = s;
      },
    };
    const parts = Object.fromEntries(odd.map((name) => [name, part]));
    decodeCheckpoint(encodeCheckpoint(parts), parts);
    expect(numbers(part.got)).toEqual(expected);
    const plain = Object.fromEntries(odd.map((name, i) => [name, { [name]: i }]));
    expect(decodeCheckpoint(encodeCheckpoint({ plain, ...plain }), { plain, ...plain })).toEqual({ plain, ...plain });
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });
});

describe('checkpoints', () => {
  it('refuse what is nested too deep or contains itself, on writing and on reading', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = { again: [loop] };
    expect(() => encodeCheckpoint({ loop: loop as never })).toThrow(/nested deeper than 64 levels, or contains itself/);
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = i % 2 ? [deep] : { deep };
    expect(() => encodeCheckpoint({ deep: deep as never })).toThrow(/nested deeper than 64 levels/);
    let allowed: unknown = 1;
    for (let i = 0; i < 64; i++) allowed = i % 2 ? [allowed] : { allowed };
    const parts = { allowed: allowed as never };
    expect(decodeCheckpoint(encodeCheckpoint(parts), parts)).toEqual(parts);
    const hostile = (state: string) => encodeSafetensors({}, { gradgate: state });
    const model = new nn.Linear(1, 1);
    for (const state of ['['.repeat(1e6), `{"version":1,"parts":{"model":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`])
      refused(() => decodeCheckpoint(hostile(state), { model }), /nested too deep/);
    for (const state of ['null', '5', '{}', '{"version":2}', '{"version":1,"parts":null}'])
      refused(() => decodeCheckpoint(hostile(state), { model }), /a checkpoint of version/);
    refused(() => decodeCheckpoint(hostile('{"version":1,"parts":{"a":{"object":[1]}}}'), { a: 1 }), /no valid state/);
  });

  it('names with dots do not collide', () => {
    const holder = (state: object) => ({
      state,
      stateDict: () => state,
      loadStateDict(s: object) {
        this.state = s;
      },
    });
    const of = (a: number, b: number, c: number) => ({
      'a.b': holder({ c: tensor(a) }),
      a: holder({ 'b.c': tensor(b), b: { c: tensor(c) } }),
      __metadata__: holder({}),
    });
    const bytes = encodeCheckpoint(of(1, 2, 3));
    const read = of(0, 0, 0);
    decodeCheckpoint(bytes, read);
    expect(JSON.stringify(read, (_, v) => (v?.item ? v.item() : v))).toBe(
      '{"a.b":{"state":{"c":1}},"a":{"state":{"b.c":2,"b":{"c":3}}},"__metadata__":{"state":{}}}',
    );
  });

  it('keep -0, objects without a prototype and holes', () => {
    const plain = {
      zero: -0,
      none: Object.assign(Object.create(null), { a: 1 }),
      list: Object.assign(new Array(2), { 1: 1 }) as never,
    };
    const read = decodeCheckpoint(encodeCheckpoint(plain), plain);
    expect([Object.is(read.zero, -0), { ...read.none }, read.list]).toEqual([true, { a: 1 }, [undefined, 1]]);
  });

  it('say what is no object of parts', () => {
    for (const bad of [null, undefined, 5, [1], zeros([1]), new nn.Linear(1, 1)])
      expect(() => encodeCheckpoint(bad as never)).toThrow(/takes an object of parts by name/);
    expect(encodeCheckpoint({ g: new Generator(1) }).length).toBeGreaterThan(8);
  });
});

describe('formats', () => {
  const file = (dtype: string, array: ArrayBufferView) => {
    const bytes = safetensors(
      `{"a":{"dtype":"${dtype}","shape":[2],"data_offsets":[0,${array.byteLength}]}}`,
      array.byteLength,
    );
    bytes.set(new Uint8Array(array.buffer), bytes.length - array.byteLength);
    return bytes;
  };
  it('unsigned integers are read where they fit', () => {
    const read = (dtype: string, array: ArrayBufferView) =>
      decodeSafetensors(file(dtype, array)).tensors['a']!.toArray();
    expect(read('U16', Uint16Array.of(1, 65535))).toEqual([1, 65535]);
    expect(read('U32', Uint32Array.of(1, 2 ** 32 - 1))).toEqual([1, 2 ** 32 - 1]);
    expect(read('U64', BigUint64Array.of(1n, 7n))).toEqual([1, 7]);
    refused(
      () => read('U64', BigUint64Array.of(1n, 2n ** 64n - 1n)),
      /'a' cannot be read: the file holds 18446744073709551615, which int64 cannot/,
    );
  });

  it('.npy of unsigned 64 bit integers and of halves', () => {
    const npy = (descr: string, data: ArrayBufferView) => {
      const head = encodeNpy(zeros([2]));
      const bytes = new Uint8Array(128 + data.byteLength);
      bytes.set(head.subarray(0, 128));
      bytes.set(strToU8(descr), new TextDecoder('latin1').decode(head).indexOf('<f4'));
      bytes.set(new Uint8Array(data.buffer), 128);
      return bytes;
    };
    expect(decodeNpy(npy('<u8', BigUint64Array.of(3n, 9n))).toArray()).toEqual([3, 9]);
    expect(decodeNpy(npy('<f2', Uint16Array.of(0x3e00, 0x8000))).toArray()).toEqual([1.5, -0]);
  });

  it('the member of a .npz that cannot be read is named, and the others can be', () => {
    const text = encodeNpy(zeros([2]));
    text.set(strToU8('<U1'), new TextDecoder('latin1').decode(text).indexOf('<f4'));
    const npz = zipSync({ 'x.npy': encodeNpy(tensor([1, 2])), 'names.npy': text, 'readme.txt': strToU8('hello') });
    refused(
      () => decodeNpz(npz),
      /'names' cannot be read: dtype <U1 cannot be read \(it holds text or objects\).*only/,
    );
    expect(decodeNpz(npz, { only: ['x'] })['x']!.toArray()).toEqual([1, 2]);
    refused(() => decodeNpz(npz, { only: ['y'] }), /the file has no y/);
  });

  it.each<[string, (bytes: any) => unknown, Uint8Array]>([
    [
      'decodeSafetensors',
      (b) => decodeSafetensors(b).tensors['a']!.toArray(),
      encodeSafetensors({ a: tensor([1, 2]) }),
    ],
    ['decodeNpy', (b) => decodeNpy(b).toArray(), encodeNpy(tensor([1, 2]))],
    ['decodeNpz', (b) => decodeNpz(b)['a']!.toArray(), encodeNpz({ a: tensor([1, 2]) })],
    ['decodeCheckpoint', (b) => decodeCheckpoint(b, { a: [0] }).a, encodeCheckpoint({ a: [1, 2] })],
    ['readIdx', (b) => data.readIdx(b).toArray(), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 1, 2)],
  ])('%s takes whatever holds bytes, and says what does not', (_, decode, bytes) => {
    const shared = new SharedArrayBuffer(bytes.length);
    new Uint8Array(shared).set(bytes);
    const wide = new Uint8Array(bytes.length + 8);
    wide.set(bytes, 3);
    for (const given of [
      bytes,
      bytes.slice().buffer,
      Buffer.from(bytes),
      new DataView(bytes.slice().buffer),
      shared,
      new Uint8Array(shared),
      new Uint8ClampedArray(bytes),
      wide.subarray(3, 3 + bytes.length),
      new DataView(wide.buffer, 3, bytes.length),
    ])
      expect(decode(given)).toEqual([1, 2]);
    for (const bad of [null, undefined, 'text', 5, [1, 2], {}])
      expect(() => decode(bad)).toThrow(/expected bytes, as a Uint8Array or an ArrayBuffer, got/);
  });
});

describe('a file that is cut, at whatever byte, is refused as a whole, in the name of what read it', () => {
  const run = () => {
    const model = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
    return { model, optimizer: new nn.optim.Adam(model.parameters()), epoch: 0 };
  };
  const trained = run();
  trained
    .model(ones([4, 2]))
    .sum()
    .backward();
  trained.optimizer.step();
  const tensors = { a: tensor([[1, 2]]), b: tensor([true]), none: zeros([0]), half: ones([1], { dtype: 'float16' }) };
  const idx = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
  const parts = run();
  const npz = encodeNpz(tensors);
  const folder = mkdtempSync(join(tmpdir(), 'gradgate-cut-'));
  const onDisk =
    (name: string, read: (path: string) => unknown) =>
    (bytes: Uint8Array): unknown => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return read(path);
    };

  it.each<[string, Uint8Array, (bytes: Uint8Array) => unknown, number?]>([
    ['decodeSafetensors', encodeSafetensors(tensors, { by: 'test' }), decodeSafetensors],
    ['decodeNpy', encodeNpy(tensors.a), decodeNpy],
    ['decodeNpy', encodeNpy(tensors.none), decodeNpy],
    ['decodeNpz', npz, decodeNpz],
    ['decodeNpz', npz, (bytes) => decodeNpz(bytes, { only: ['a'] })],
    ['decodeNpz', encodeNpz(tensors, { compress: true }), decodeNpz],
    ['readIdx', idx, data.readIdx],
    ['readIdx', gzipSync(idx), data.readIdx],
    ['decodeCheckpoint', encodeCheckpoint(trained), (bytes) => decodeCheckpoint(bytes, parts)],
    ['load', encodeSafetensors(tensors), onDisk('cut.safetensors', nn.load), 7],
    [
      'openSafetensors',
      encodeSafetensors(tensors),
      onDisk('open.safetensors', async (path) => (await nn.openSafetensors(path)).close()),
      7,
    ],
    ['loadNpy', encodeNpy(tensors.a), onDisk('cut.npy', nn.loadNpy), 7],
    ['loadNpz', npz, onDisk('cut.npz', nn.loadNpz), 17],
    [
      'loadCheckpoint',
      encodeCheckpoint(trained),
      onDisk('run.safetensors', (path) => nn.loadCheckpoint(path, parts)),
      37,
    ],
  ])('%s', async (op, bytes, read, step = 1) => {
    for (let length = 0; length < bytes.length; length += step) {
      const error = await Promise.resolve(bytes.slice(0, length))
        .then(read)
        .then(
          () => null,
          (e: unknown) => e,
        );
      expect(error, `${length} of ${bytes.length} bytes`).toBeInstanceOf(TensorError);
      expect((error as TensorError).message).toMatch(new RegExp(`^${op}: `));
    }
    // Only what is whole changes what it is read into.
    expect(parts.optimizer.stateDict().state).toEqual({});
    await read(bytes);
    decodeCheckpoint(encodeCheckpoint(run()), parts);
  });
});

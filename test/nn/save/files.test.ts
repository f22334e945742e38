import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { full, type Tensor, tensor, zeros } from '@gradgate/core';
import * as nn from '@gradgate/nn';
import { afterEach, describe, expect, it, vi } from 'vitest';

const folder = () => mkdtempSync(join(tmpdir(), 'gradgate-files-'));
const x = { x: tensor([1, 2, 3]) };
const writers: [string, (path: string | URL) => Promise<void>, (path: string | URL) => Promise<unknown>][] = [
  ['save', (p) => nn.save(p, x), async (p) => (await nn.load(p))['x']!.toArray()],
  ['saveNumpy', (p) => nn.saveNumpy(p, x['x']), async (p) => (await nn.loadNpy(p)).toArray()],
  [
    'saveCheckpoint',
    (p) => nn.saveCheckpoint(p, { x: [1, 2, 3] }),
    async (p) => (await nn.loadCheckpoint(p, { x: [0] })).x,
  ],
];

describe.each(writers)('%s', (_, write, read) => {
  it('keeps the mode of the file that it writes over', async () => {
    const path = join(folder(), 'a');
    for (const mode of [0o600, 0o640, 0o755]) {
      writeFileSync(path, 'old');
      chmodSync(path, mode);
      await write(path);
      expect(statSync(path).mode & 0o7777).toBe(mode);
    }
    expect(await read(path)).toEqual([1, 2, 3]);
  });

  it('writes where links point to, and leaves the links', async () => {
    const dir = folder();
    mkdirSync(join(dir, 'deep'));
    writeFileSync(join(dir, 'deep', 'real'), 'old');
    symlinkSync(join('deep', 'real'), join(dir, 'relative'));
    symlinkSync(join(dir, 'relative'), join(dir, 'chain'));
    symlinkSync('not-yet', join(dir, 'dangling'));
    for (const link of ['relative', 'chain', 'dangling']) {
      await write(join(dir, link));
      expect(lstatSync(join(dir, link)).isSymbolicLink()).toBe(true);
    }
    expect(await read(join(dir, 'deep', 'real'))).toEqual([1, 2, 3]);
    expect(lstatSync(join(dir, 'not-yet')).isFile()).toBe(true);
    expect([readdirSync(dir).length, readdirSync(join(dir, 'deep'))]).toEqual([5, ['real']]);
    symlinkSync('loop', join(dir, 'loop'));
    await expect(write(join(dir, 'loop'))).rejects.toThrow(/ELOOP/);
  });

  it('takes file: URLs, and says what is no path', async () => {
    const url = pathToFileURL(join(folder(), 'with space é.npy'));
    await write(url);
    expect(existsSync(fileURLToPath(url))).toBe(true);
    expect(await read(url)).toEqual([1, 2, 3]);
    await expect(write(new URL('https://example.com/a'))).rejects.toThrow(/https:\/\/example.com\/a is no file/);
    await expect(write(new URL('file:///tmp/a%2Fb'))).rejects.toThrow(/^save\w*: file:.* names no file: /);
    for (const bad of [undefined, null, 5, '', {}, 'a\0b', new URL('file:///tmp/a%00b')])
      await expect(write(bad as never)).rejects.toThrow(/path must be a string or a file: URL/);
  });

  it('says that a folder is missing, or is in the place of the file', async () => {
    const dir = folder();
    await expect(write(join(dir, 'none', 'a'))).rejects.toThrow(/there is no folder .*none; make it first \(ENOENT\)/);
    await expect(write(dir)).rejects.toThrow(/is a folder/);
    writeFileSync(join(dir, 'file'), '');
    await expect(write(join(dir, 'file', 'a'))).rejects.toThrow(/there is no folder/);
    expect(readdirSync(dir)).toEqual(['file']);
  });

  it('names the file and the function where the system refuses, with its code', async () => {
    const open = vi.spyOn(process.getBuiltinModule('node:fs/promises'), 'rename');
    open.mockRejectedValue(Object.assign(new Error('EIO: i/o error, rename'), { code: 'EIO' }));
    const path = join(folder(), 'a');
    const error = await write(path).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'EIO' });
    expect((error as Error).message).toMatch(/^save\w*: .*a cannot be written: EIO: i\/o error, rename$/);
    if (existsSync('/dev/full'))
      await expect(write('/dev/full')).rejects.toThrow(/^save\w*: \/dev\/full cannot be written: ENOSPC/);
  });

  it('writes to devices and never replaces them', async () => {
    await write('/dev/null');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

// Other processes run built files.
const built = new URL('../../../packages/nn/dist/index.js', import.meta.url);
const core = new URL('../../../packages/core/dist/index.js', import.meta.url);

describe('what a killed process left', () => {
  const run = (program: string) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const first = new Promise((resolve) => child.stdout.once('data', resolve));
    const kill = async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    };
    return { first, kill };
  };
  const imports = `import { full } from '${core}'; import { save } from '${built}';`;

  it('leaves the file whole, whenever it was killed', async () => {
    const path = join(folder(), 'model.safetensors');
    const program = `${imports}
      for (let i = 1; ; i++) {
        await save(${JSON.stringify(path)}, { a: full([400000], i), b: full([400000], i) });
        console.log(i);
      }`;
    for (let round = 0; round < 8; round++) {
      const { first, kill } = run(program);
      await first;
      await setTimeout(round * 5);
      await kill();
      const { a, b } = (await nn.load(path)) as { a: Tensor; b: Tensor };
      const value = a.at(0).item();
      expect([a.eq(value).all().item(), b.eq(value).all().item()]).toEqual([1, 1]);
    }
  });

  it('is removed at the next save', async () => {
    const dir = folder();
    const path = join(dir, 'model.safetensors');
    await nn.save(path, x);
    // Killed between writing and renaming: syncing never ends.
    const program = `${imports}
      const fs = process.getBuiltinModule('node:fs/promises');
      const { open } = fs;
      fs.open = async (...args) => {
        const file = await open(...args);
        file.sync = () => { console.log('written'); return new Promise(() => setInterval(() => {}, 1000)); };
        return file;
      };
      await save(${JSON.stringify(path)}, { x: full([1000], 7) });`;
    for (let round = 1; round <= 3; round++) {
      const { first, kill } = run(program);
      await first;
      expect(readdirSync(dir).length).toBe(2);
      await kill();
      expect((await nn.load(path))['x']!.toArray()).toEqual([1, 2, 3]);
    }
    expect(readdirSync(dir).length).toBe(2);
    await nn.save(path, x);
    expect(readdirSync(dir)).toEqual(['model.safetensors']);
  });

  it('is told from what others are writing now', async () => {
    const dir = folder();
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const host = hostname()
      .replaceAll(/[^\w-]/g, '')
      .slice(0, 20);
    const keep = [
      `.m.${host}.${process.ppid}.abc.tmp`,
      `.m.elsewhere.${gone}.abc.tmp`,
      `.other.${host}.${gone}.abc.tmp`,
      'm.tmp',
    ];
    const left = [`.m.${host}.${gone}.abc.tmp`];
    for (const name of [...keep, ...left]) writeFileSync(join(dir, name), '');
    await nn.save(join(dir, 'm'), x);
    expect(readdirSync(dir).sort()).toEqual([...keep, 'm'].sort());
  });

  it('saves of one file at the same time do not disturb each other', async () => {
    const path = join(folder(), 'm');
    await Promise.all(Array.from({ length: 8 }, (_, i) => nn.save(path, { x: full([1000], i) })));
    const { x: last } = await nn.load(path);
    expect(last!.eq(last!.at(0).item()).all().item()).toBe(1);
  });

  it('the folder is synced after the rename', async () => {
    const fs = process.getBuiltinModule('node:fs/promises');
    const open = vi.spyOn(fs, 'open');
    const dir = folder();
    await nn.save(join(dir, 'm'), x);
    expect(open.mock.calls.map(([path, flags]) => [path === dir, flags])).toEqual([
      [false, 'wx'],
      [true, 'r'],
    ]);
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('openSafetensors', () => {
  const tensors = { a: tensor([1, 2]), big: zeros([1000, 100]), __proto__x: tensor(5, { dtype: 'int32' }) };

  it('reads the header, and of the tensors only those asked for', async () => {
    const bytes = nn.encodeSafetensors(tensors, { note: 'n' });
    let read = 0;
    const source: nn.ByteSource = {
      size: bytes.length,
      async read(at, length) {
        read += length;
        return bytes.subarray(at, at + length);
      },
    };
    const file = await nn.openSafetensors(source);
    expect(file.metadata).toEqual({ note: 'n' });
    expect(file.tensors.get('big')).toMatchObject({ dtype: 'F32', shape: [1000, 100] });
    expect((await file.get('a')).toArray()).toEqual([1, 2]);
    expect(read).toBeLessThan(400);
    await expect(file.get('none')).rejects.toThrow(/the file has no tensor 'none'; it has 3, among them/);
    const blob = await nn.openSafetensors(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    expect((await blob.get('big')).shape).toEqual([1000, 100]);
    await expect(nn.openSafetensors({} as never)).rejects.toThrow(/takes a path, a URL, a Blob/);
    await expect(nn.openSafetensors({ size: 9, read: async () => 5 as never })).rejects.toThrow(
      /read\(\) of the source must give a Uint8Array, got 5/,
    );
    const short = await nn.openSafetensors({
      ...source,
      read: async (at, n) => bytes.subarray(at, Math.min(at + n, bytes.length - 8)),
    });
    await expect(short.get('big')).rejects.toThrow(/truncated/);
  });

  it('load reads what `only` names', async () => {
    const path = join(folder(), 'm.safetensors');
    await nn.save(path, tensors);
    expect(Object.keys(await nn.load(path, { only: ['a'] }))).toEqual(['a']);
    await expect(nn.load(path, { only: ['b'] })).rejects.toThrow(/load: the file has no tensor 'b'/);
    await expect(nn.load(path, { onyl: ['a'] } as never)).rejects.toThrow(
      /there is no option 'onyl'; the only one is only/,
    );
  });

  it('reads models in shards by their index', async () => {
    const dir = folder();
    const index = join(dir, 'model.safetensors.index.json');
    const write = (weight_map: object) =>
      writeFileSync(index, JSON.stringify({ metadata: { total_size: 24 }, weight_map }));
    await nn.save(join(dir, 'model-1.safetensors'), { a: tensor([1, 2]), b: tensor([3]) }, { format: 'pt' });
    await nn.save(join(dir, 'model-2.safetensors'), { c: tensor([4, 5, 6]) });
    write({ a: 'model-1.safetensors', b: 'model-1.safetensors', c: 'model-2.safetensors' });
    const all = await nn.load(index);
    expect(Object.fromEntries(Object.entries(all).map(([k, t]) => [k, t.toArray()]))).toEqual({
      a: [1, 2],
      b: [3],
      c: [4, 5, 6],
    });
    const file = await nn.openSafetensors(pathToFileURL(index));
    expect([[...file.tensors.keys()], file.metadata]).toEqual([['a', 'b', 'c'], { format: 'pt' }]);
    expect((await file.get('c')).toArray()).toEqual([4, 5, 6]);
    await file.close();
    for (const [shard, message] of [
      ['../model-1.safetensors', /shards must be .safetensors files beside it/],
      ['model-2.safetensors', /the index has 'a' in model-2.safetensors, which has no such tensor/],
      ['model-3.safetensors', /ENOENT/],
    ] as const) {
      write({ a: shard });
      await expect(nn.load(index)).rejects.toThrow(message);
    }
    writeFileSync(index, '[1');
    await expect(nn.load(index)).rejects.toThrow(/is not JSON/);
    writeFileSync(index, 'null');
    await expect(nn.load(index)).rejects.toThrow(/has no weight_map/);
  });
});

it('files are read to the end, and such without a size too', async () => {
  const path = join(folder(), 'a.npy');
  await nn.saveNumpy(path, x.x);
  expect(readFileSync(path).length).toBe(140);
  const program = `import { loadNpy } from '${built}'; console.log((await loadNpy('/dev/stdin')).toArray().join())`;
  const out = execFileSync('sh', [
    '-c',
    'cat "$1" | "$2" --input-type=module -e "$3"',
    'sh',
    path,
    process.execPath,
    program,
  ]);
  expect(String(out).trim()).toBe('1,2,3');
});

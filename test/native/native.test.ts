import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Generator } from '@gradgate/core';
import { afterAll, describe, expect, it } from 'vitest';
import { instantiate, type Kernels } from '../../packages/core/src/backend/wasm/module.js';
import { binaryKernels, unaryKernels } from '../../packages/core/src/backend/wasm/names.js';
import { findProgram, need, needNative } from '../needs.js';

const file = needNative('kernels in machine code beside those in WebAssembly');
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gradgate-native-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a program prints, its warnings included. */
function run(program: string, options: string[] = [], cwd = root): string {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...options, '--input-type=module', '--eval', program],
    { cwd, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return stdout + stderr;
}

const odd = [Number.NaN, Infinity, -Infinity, 0, -0, 1e-40, -1e-40, 1e38, -1e38, 88.7, -103.5, 0.625, 1, -1, -88, 2];

const bare = instantiate(true);
bare.memory.grow(128);
/** The sets of instructions that this processor has. */
const sets = ['avx512', 'avx2', 'sse', 'neon'].flatMap((name) => {
  const kernels: Partial<Kernels> | undefined =
    file && createRequire(file)(file).attach(new Uint8Array(bare.memory.buffer), name);
  return kernels ? [[name, kernels] as const] : [];
});

it.runIf(file)('there is a set of instructions for this processor, and no other name is taken for one', () => {
  expect(sets.length).toBeGreaterThan(0);
  expect(createRequire(file!)(file!).attach(new Uint8Array(bare.memory.buffer), 'mmx')).toBeUndefined();
  expect(createRequire(file!)(file!).target).toBe(sets[0]![0]);
});

describe.each(sets)('kernels in machine code by %s', (set, native) => {
  const { kernels, memory } = bare;
  const floats = new Float32Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  const generator = new Generator(7);
  const random = () =>
    generator.below(5) === 0 ? odd[generator.below(odd.length)]! : (generator.uniform() - 0.5) * 12;
  const [x, y, wanted, got] = [2 ** 16, 2 ** 17, 2 ** 18, 2 ** 19];
  const sameBits = (i: number, j: number) =>
    words[i] === words[j] || (Number.isNaN(floats[i]!) && Number.isNaN(floats[j]!));

  it('have the names of kernels in WebAssembly', () => {
    expect(Object.keys(native).length).toBeGreaterThan(60);
    for (const name of Object.keys(native)) expect(kernels).toHaveProperty(name);
  });

  const elementwise = [...unaryKernels, ...binaryKernels].filter((name) => name in native);
  // SSE cannot round a product and a sum at once.
  it.skipIf(set === 'sse').each(elementwise)(
    '%s gives the same bits, from any start, for any number of elements, and writes no other',
    (name) => {
      const inputs = (unaryKernels as readonly string[]).includes(name) ? [x] : [x, y];
      for (let n = 0; n <= 66; n++)
        for (const offset of [0, 1, 3]) {
          for (const at of inputs) for (let i = 0; i < n; i++) floats[at + offset + i] = random();
          floats.fill(7, wanted, wanted + 160);
          floats.fill(7, got, got + 160);
          const args = [...inputs.map((at) => (at + offset) * 4), n, -0.5, 0.75] as [number, number, number];
          (kernels[name] as (...args: number[]) => void)((wanted + offset) * 4, ...args);
          (native[name] as (...args: number[]) => void)((got + offset) * 4, ...args);
          for (let i = 0; i < n; i++)
            if (!sameBits(wanted + offset + i, got + offset + i))
              expect([name, n, i, floats[x + offset + i], floats[y + offset + i], floats[got + offset + i]]).toBe(
                floats[wanted + offset + i],
              );
          for (let i = n; i < 130; i++) expect(floats[got + offset + i]).toBe(7);
        }
    },
  );

  it.each([
    ['largest', 0],
    ['smallest', -(2 ** 31)],
  ])('find the %s of rows of any length, and NaN where there is one', (_, flip) => {
    const rows = 9;
    for (let n = 1; n <= 130; n++) {
      for (let i = 0; i < rows * n; i++) floats[x + i] = Math.fround(random());
      // Most rows have no NaN, and the last is of infinities.
      for (let i = 0; i < 6 * n; i++) if (Number.isNaN(floats[x + i]!)) floats[x + i] = -3;
      for (let i = 8 * n; i < 9 * n; i++) floats[x + i] = flip === 0 ? -Infinity : Infinity;
      floats.fill(7, got, got + rows + 4);
      native.rowExtrema!(got * 4, x * 4, rows, n, flip);
      for (let r = 0; r < rows; r++) {
        const row = [...floats.subarray(x + r * n, x + (r + 1) * n)];
        const best = flip === 0 ? Math.max(...row) : Math.min(...row);
        expect([n, r, floats[got + r]! + 0]).toEqual([n, r, best + 0]);
      }
      expect(floats[got + rows]).toBe(7);
    }
  });

  it('find the largest of windows, where it is, and the gradient, as kernels in WebAssembly do, and write no other', () => {
    const [values, places] = [[wanted, wanted + 2 ** 16] as const, [got, got + 2 ** 16] as const];
    const gradients = [2 ** 20, 2 ** 20 + 2 ** 16] as const;
    const [planes, h, base] = [3, 5, 1000];
    for (let w = 1; w <= 70; w++)
      for (const [kernel, stride, padding, dilation] of [
        [1, 1, 0, 1],
        [2, 2, 0, 1],
        [3, 2, 1, 1],
        [3, 1, 1, 1],
        [2, 3, 1, 2],
        [5, 1, 2, 2],
      ] as const) {
        const out = (size: number) => Math.floor((size + 2 * padding - (kernel - 1) * dilation - 1) / stride) + 1;
        const [rows, columns] = [out(h), out(w)];
        if (rows < 1 || columns < 1) continue;
        const [size, plane] = [rows * columns, h * w];
        // Ties, NaN and infinities; some planes are of NaN or -Infinity alone.
        for (let i = 0; i < planes * plane; i++)
          floats[x + 1 + i] = generator.below(3) === 0 ? random() : generator.below(4);
        if (w % 3 === 0) floats.fill(w % 2 ? Number.NaN : -Infinity, x + 1, x + 1 + plane);
        const sizes = [h, w, kernel, kernel, stride, stride, padding, padding, dilation, dilation, rows, columns];
        for (const [k, [atValues, atPlaces]] of [[kernels, values] as const, [native as Kernels, places] as const]) {
          floats.fill(7, atValues, atPlaces + planes * size + 20);
          k.maxPool((x + 1) * 4, planes, base, ...sizes, (atValues + 1) * 4, (atPlaces + 1) * 4);
        }
        for (let i = 0; i < planes * size + 20; i++)
          for (const part of [0, 1] as const)
            if (!sameBits(values[part] + i, places[part] + i))
              expect([w, kernel, stride, part, i, words[places[part] + i]]).toBe(words[values[part] + i]);
        for (const [i, k] of [kernels, native as Kernels].entries()) {
          floats.fill(7, gradients[i]!, gradients[i]! + planes * plane + 20);
          const to = (gradients[i]! + 1) * 4;
          k.maxPoolGradient(to, (x + 1) * 4, (wanted + 2 ** 16 + 1) * 4, planes, base, plane, size);
        }
        for (let i = 0; i < planes * plane + 20; i++)
          if (!sameBits(gradients[0] + i, gradients[1] + i))
            expect([w, kernel, stride, i, floats[gradients[1] + i]]).toBe(floats[gradients[0] + i]);
      }
  });

  it('copy strided elements in row-major order, and write no other', () => {
    for (let i = 0; i < 20_000; i++) floats[x + i] = random();
    for (let n = 1; n <= 65; n++)
      for (const [shape, strides] of [
        [
          [2, 3, 5, n],
          [500, 130, 1, 7],
        ],
        [
          [2, 3, n, 6],
          [500, 130, 1, n + 2],
        ],
        [
          [1, 2, n, 5],
          [0, 400, 70, 1],
        ],
        [
          [1, 2, 4, n],
          [0, 400, 100, 1],
        ],
        [
          [1, 1, 9, n],
          [0, 0, 1, 0],
        ],
        [
          [3, 1, 2, n],
          [2, 0, 0, 3],
        ],
      ] as const) {
        floats.fill(7, got, got + 3000);
        native.copyStrided!((got + 1) * 4, x * 4, ...shape, ...strides);
        let at = got;
        for (let i = 0; i < shape[0]; i++)
          for (let j = 0; j < shape[1]; j++)
            for (let k = 0; k < shape[2]; k++)
              for (let l = 0; l < shape[3]; l++) {
                const from = x + i * strides[0] + j * strides[1] + k * strides[2] + l * strides[3];
                if (!sameBits(++at, from)) expect([n, shape, at - got]).toBe(floats[from]);
              }
        expect([floats[got], floats[at + 1], floats[at + 16]]).toEqual([7, 7, 7]);
      }
  });

  it('add up products of any shape and strides, and write nothing beside the result', () => {
    const a = 2 ** 16;
    for (const [m, n, k] of [
      [1, 1, 1],
      [1, 33, 5],
      [14, 32, 8],
      [15, 31, 9],
      [13, 17, 400],
      [230, 40, 3],
      [3, 1100, 2],
      [29, 65, 0],
      [64, 32, 64],
      [96, 140, 384],
    ])
      for (const [ta, tb, accumulate, apart] of [
        [0, 0, 0, 1],
        [1, 0, 0, 1],
        [0, 1, 1, 1],
        [1, 1, 1, 1],
        [0, 1, 0, 2],
      ]) {
        const [rows, inner, columns, step] = [m!, k!, n!, apart!];
        const b = a + rows * inner * step;
        const c = b + inner * columns * step;
        const ldc = columns + 3;
        const scratch = c + rows * ldc + 16;
        for (let i = a; i < c; i++) floats[i] = generator.normal();
        for (let i = c; i < scratch; i++) floats[i] = 7;
        native.gemm!(
          rows,
          columns,
          inner,
          a * 4,
          (ta ? 1 : inner) * step,
          (ta ? rows : 1) * step,
          b * 4,
          (tb ? 1 : columns) * step,
          (tb ? inner : 1) * step,
          c * 4,
          ldc,
          scratch * 4,
          accumulate === 1,
        );
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < ldc; j++) {
            let sum = j >= columns || accumulate ? 7 : 0;
            for (let p = 0; j < columns && p < inner; p++)
              sum +=
                floats[a + (ta ? p * rows + i : i * inner + p) * step]! *
                floats[b + (tb ? j * inner + p : p * columns + j) * step]!;
            const at = floats[c + i * ldc + j]!;
            if (Math.abs(at - sum) > 1e-4 + 1e-5 * Math.abs(sum))
              expect([rows, columns, inner, ta, tb, step, i, j, at]).toBe(sum);
          }
      }
    expect(native.gemmScratch!()).toBeGreaterThan(0);
  });

  it('give each element of a product the same bits, whichever part of it is computed', () => {
    // Few columns are computed from rows where they lie, more from packed ones.
    for (const n of [70, 190]) {
      const [m, k] = [37, 500];
      const [a, b, c, d] = [2 ** 16, 2 ** 17, 2 ** 18, 2 ** 19];
      const scratch = 2 ** 20 * 4;
      for (let i = 0; i < m * k; i++) floats[a + i] = generator.normal();
      for (let i = 0; i < k * n; i++) floats[b + i] = generator.normal();
      native.gemm!(m, n, k, a * 4, k, 1, b * 4, n, 1, c * 4, n, scratch, false);
      for (const [first, rows] of [
        [0, 6],
        [6, 30],
        [36, 1],
      ] as const)
        native.gemm!(rows, n, k, (a + first * k) * 4, k, 1, b * 4, n, 1, (d + first * n) * 4, n, scratch, false);
      expect(floats.slice(d, d + m * n)).toEqual(floats.slice(c, c + m * n));
      for (const [first, columns] of [
        [0, 8],
        [8, 56],
        [64, n - 64],
      ] as const)
        native.gemm!(m, columns, k, a * 4, k, 1, (b + first) * 4, n, 1, (d + first) * 4, n, scratch, false);
      expect(floats.slice(d, d + m * n)).toEqual(floats.slice(c, c + m * n));
    }
  });
});

const importing = `
  import '@gradgate/native';
  import { randn, manualSeed, setNumThreads, memory } from '@gradgate/core';
  import { Linear, functional as F, optim } from '@gradgate/nn';
  import { isNativeLoaded, nativeTarget } from '@gradgate/native';`;
const training = `
  manualSeed(1);
  const net = new Linear(300, 200);
  const optimizer = new optim.Adam(net.parameters());
  const [x, y] = [randn([256, 300]), randn([256, 200])];
  for (let i = 0; i < 5; i++) {
    optimizer.zeroGrad();
    F.mseLoss(F.gelu(net(x)), y).backward();
    optimizer.step();
  }
  const digest = net.weight.toArray().flat().map((v) => v.toString(36)).join();`;

describe.runIf(file)('a program that imports @gradgate/native', () => {
  it('trains to the same bits with any number of threads, and close to what WebAssembly gives', () => {
    const weights = (threads: number, native: boolean) =>
      run(`${native ? importing : importing.replaceAll(/.*@gradgate\/native.*/g, '')}
        setNumThreads(${threads});${training}
        // Threads that were started late take part from here on.
        await new Promise((resolve) => setTimeout(resolve, 300));
        console.log(digest + '|' + net.weight.flatten().toArray().slice(0, 50).join());`);
    const one = weights(1, true);
    expect(weights(2, true)).toBe(one);
    const numbers = (text: string) => text.split('|')[1]!.split(',').map(Number);
    const wasm = weights(1, false);
    expect(wasm).not.toBe(one);
    numbers(wasm).forEach((v, i) => {
      expect(numbers(one)[i]).toBeCloseTo(v, 4);
    });
  });

  it('uses it too where kernels had run before it was imported', () => {
    const program = `${importing.replace("import '@gradgate/native';", '').replace(/.*isNativeLoaded.*/, '')}
      ${training}
      const before = digest;
      const { isNativeLoaded, nativeTarget } = await import('@gradgate/native');
      const x2 = randn([64, 300]);
      console.log(isNativeLoaded(), typeof nativeTarget(), net(x2).shape.join());`;
    expect(run(program)).toBe('true string 64,200\n');
  });

  it('says what is missing, and goes on, where there is no binary, where addons are not allowed, and in a bundle', () => {
    const goesOn = `${importing}
      console.log(isNativeLoaded(), nativeTarget(), randn([64, 64]).matmul(randn([64, 64])).shape.join());`;
    const permission = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    expect(run(goesOn, [permission, '--allow-fs-read=*', '--allow-worker'])).toMatch(
      /^false null 64,64\n.*@gradgate\/native: .*; the kernels in WebAssembly go on\.\n/s,
    );
    const other = `Object.defineProperty(process, 'arch', { value: 'mips' });
      const { isNativeLoaded } = await import('@gradgate/native'); console.log(isNativeLoaded());`;
    expect(run(other)).toContain(
      `@gradgate/native: has no binary for ${process.platform}-mips, only for linux-x64, linux-arm64, darwin-arm64, win32-x64; the kernels`,
    );
  });

  it('does not load a broken binary', () => {
    const packages = join(folder, 'node_modules/@gradgate');
    mkdirSync(join(packages, 'native/prebuilds'), { recursive: true });
    cpSync(join(root, 'packages/core'), join(packages, 'core'), { recursive: true });
    cpSync(join(root, 'packages/native/dist'), join(packages, 'native/dist'), { recursive: true });
    copyFileSync(join(root, 'packages/native/package.json'), join(packages, 'native/package.json'));
    cpSync(join(root, 'node_modules/pure-rand'), join(folder, 'node_modules/pure-rand'), { recursive: true });
    writeFileSync(join(packages, 'native/prebuilds', `${process.platform}-${process.arch}.node`), 'not a library');
    const program = `import { isNativeLoaded } from '@gradgate/native'; import { ones } from '@gradgate/core';
      console.log(isNativeLoaded(), ones([100, 100]).sum().item());`;
    expect(run(program, [], folder)).toMatch(
      /^false 10000\n.*@gradgate\/native: .*; the kernels in WebAssembly go on\.\n/s,
    );
  });
});

it.runIf(file && process.platform === 'linux' && findProgram('ldd'))('the binary of Linux needs no library', () => {
  const { stdout, stderr } = spawnSync('ldd', [file!], { encoding: 'utf8' });
  expect(stdout + stderr).toMatch(/statically linked|not a dynamic executable/);
});

// There is no Node for musl in Debian, so that a program stands in for it.
const musl = need(findProgram('musl-gcc'), "the addon under musl's loader", "Debian's musl-tools has musl-gcc");
it.runIf(file && process.arch === 'x64' && musl)("the binary of Linux is loaded by musl's loader, and computes", () => {
  const host = join(folder, 'muslHost');
  const source = fileURLToPath(new URL('muslHost.c', import.meta.url));
  expect(spawnSync(musl!, ['-rdynamic', '-o', host, source], { encoding: 'utf8' }).stderr).toBe('');
  const { stdout, stderr } = spawnSync(host, [file!], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['4950 1.0000 2.7183 7.3891\n', '']);
});

/**
 * Compiles `assembly/` into `src/backend/wasm/binary.ts`, and writes the names of the elementwise kernels to `names.ts`
 * beside it. Both are committed: neither users nor tests need the AssemblyScript compiler. Run it after a change in
 * `assembly/`; a test checks that it gives the committed files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { transform } from 'esbuild';

const assembly = fileURLToPath(new URL('../assembly', import.meta.url));
const wasm = new URL('../src/backend/wasm/', import.meta.url);
const read = (name) => readFileSync(`${assembly}/${name}`, 'utf8');

/** What these files export without `@inline` are elementwise kernels: of one operand `(to, x, n, ...)`, or two `(to, x, y, n, ...)`. */
const elementwise = Object.fromEntries(
  ['elementwise', 'gradients', 'log'].map((file) => [
    file,
    [...read(`${file}.ts`).matchAll(/(@inline\s+)?^export function (\w+)\(((?:\w+: usize, )+)n: usize\b/gm)]
      .filter(([, inline]) => !inline)
      .map(([, , name, operands]) => ({ name, operands: operands.split(',').length - 2 })),
  ]),
);

/** `assembly/index.ts`, and the elementwise kernels. */
const exported = [
  read('index.ts'),
  ...Object.entries(elementwise).map(
    ([file, kernels]) => `export { ${kernels.map(({ name }) => name)} } from './${file}';`,
  ),
].join('\n');

/** The module, and its text. */
async function build() {
  const files = {};
  const { error, stderr } = await asc.main(
    [
      'index.ts',
      '--outFile',
      'kernels.wasm',
      '--textFile',
      'kernels.wat',
      '--runtime',
      'stub',
      '--importMemory',
      '--sharedMemory',
      '--initialMemory',
      '16',
      '--maximumMemory',
      '65536',
      '--noAssert',
      // Functions are put into others only where that makes the module smaller: measured as fast as with -O3, which is 2 % larger.
      '--optimizeLevel',
      '3',
      '--shrinkLevel',
      '1',
      '--converge',
      '--memoryBase',
      '1024',
      ...['threads', 'simd', 'relaxed-simd'].flatMap((f) => ['--enable', f]),
    ],
    {
      readFile: (name) => {
        if (name === 'index.ts') return exported;
        try {
          return read(name);
        } catch {
          return null;
        }
      },
      writeFile: (name, contents) => {
        files[name] = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return [files['kernels.wasm'], files['kernels.wat']];
}

/** What a module of `src` exports; Node 20 does not read TypeScript. It may import nothing. */
async function load(name) {
  const source = readFileSync(new URL(`../src/backend/wasm/${name}`, import.meta.url), 'utf8');
  const { code } = await transform(source, { loader: 'ts' });
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}

const [binary, wat] = await build();

// `unfuse` looks for bytes, not for instructions: that it finds as many says that it takes nothing else for one.
const { unfuse } = await load('unfuse.ts');
const instructions = wat.match(/relaxed_madd/g).length;
let found = 0;
for (let i = 0; i < binary.length; i++)
  if (binary[i] === 0xfd && binary[i + 1] === 0x85 && binary[i + 2] === 0x02) found++;
if (found !== instructions || !WebAssembly.validate(unfuse(binary)))
  throw new Error(`${instructions} fused multiply-adds, and ${found} places that look like one: see unfuse.ts`);

const counts = new Array(256).fill(0);
for (const byte of binary) counts[byte]++;
const { encodeText, single } = await load('text.ts');
const mostFrequent = new Set([...counts.keys()].sort((a, b) => counts[b] - counts[a]).slice(0, single));
const frequent = Array.from({ length: 64 }, (_, i) =>
  [0, 1, 2, 3].reduce((digit, bit) => digit + (Number(mostFrequent.has(4 * i + bit)) << bit), 0).toString(16),
).join('');

const names = (operands) =>
  Object.values(elementwise)
    .flat()
    .filter((kernel) => kernel.operands === operands)
    .map(({ name }) => `  '${name}',\n`)
    .sort()
    .join('');

const made = {
  'binary.ts': `// Made by scripts/build-kernels.mjs from assembly/. Do not edit.

/** Which bytes are the most frequent; see text.ts. */
export const frequent = '${frequent}';

/** The kernels, with fused multiply-add (relaxed SIMD); see unfuse.ts. */
export const code =
  '${encodeText(binary, frequent)}';
`,
  'names.ts': `// Made by scripts/build-kernels.mjs from assembly/. Do not edit.

/** The unary functions with a kernel. */
export const unaryKernels = [
${names(1)}] as const;

/** The binary functions with a kernel. */
export const binaryKernels = [
${names(2)}] as const;
`,
};

for (const [name, text] of Object.entries(made)) {
  const target = new URL(name, wasm);
  if (!process.argv.includes('--check')) {
    writeFileSync(target, text);
    console.log(`${name}: ${text.length} characters`);
  } else if (readFileSync(target, 'utf8') !== text) {
    console.error(`src/backend/wasm/${name} is not what assembly/ gives; run scripts/build-kernels.mjs`);
    process.exit(1);
  }
}

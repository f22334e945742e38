/**
 * Compiles `assembly/` into `src/backend/wasm/binary.ts`, which is committed: neither users nor tests need the
 * AssemblyScript compiler. Run it after a change in `assembly/`; a test checks that it gives the committed file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { transform } from 'esbuild';

const assembly = fileURLToPath(new URL('../assembly', import.meta.url));
const target = new URL('../src/backend/wasm/binary.ts', import.meta.url);

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
        try {
          return readFileSync(`${assembly}/${name}`, 'utf8');
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

const text = `// Made by scripts/build-kernels.mjs from assembly/. Do not edit.

/** Which bytes are the most frequent; see text.ts. */
export const frequent = '${frequent}';

/** The kernels, with fused multiply-add (relaxed SIMD); see unfuse.ts. */
export const code =
  '${encodeText(binary, frequent)}';
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('src/backend/wasm/binary.ts is not what assembly/ gives; run scripts/build-kernels.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
  console.log(`wrote ${text.length} characters`);
}

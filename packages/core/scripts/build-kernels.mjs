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

async function compile(features) {
  const { binary, error, stderr } = await build(features);
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return binary;
}

async function build(features) {
  let binary;
  const result = await asc.main(
    [
      'index.ts',
      '--outFile',
      'kernels.wasm',
      '--runtime',
      'stub',
      '--importMemory',
      '--sharedMemory',
      '--initialMemory',
      '16',
      '--maximumMemory',
      '65536',
      '--noAssert',
      '-O3',
      '--converge',
      '--memoryBase',
      '1024',
      ...features.flatMap((f) => ['--enable', f]),
    ],
    {
      readFile: (name) => {
        try {
          return readFileSync(`${assembly}/${name}`, 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_, contents) => {
        binary = contents;
      },
      listFiles: () => [],
    },
  );
  return { ...result, binary };
}

const fused = await compile(['threads', 'simd', 'relaxed-simd']);
const plain = await compile(['threads', 'simd']);
const counts = new Array(256).fill(0);
for (const byte of [...fused, ...plain]) counts[byte]++;
const order = [...counts.keys()].sort((a, b) => counts[b] - counts[a]);

// Only `src` has it as text, and Node 20 does not read TypeScript.
const { code } = await transform(readFileSync(new URL('../src/backend/wasm/text.ts', import.meta.url), 'utf8'), {
  loader: 'ts',
});
const { encodeText } = await import(`data:text/javascript,${encodeURIComponent(code)}`);

// In turns: the two have much in common, which gzip finds within its window of 32 KiB only.
const count = 8;
const slices = (text) =>
  Array.from({ length: count }, (_, i) =>
    text.slice(Math.round((i * text.length) / count), Math.round(((i + 1) * text.length) / count)),
  );
const [first, second] = [fused, plain].map((module) => slices(encodeText(module, order)));

const text = `// Made by scripts/build-kernels.mjs from assembly/. Do not edit.

/** All bytes, the most frequent first; see text.ts. */
export const order =
  '${Buffer.from(order).toString('hex')}';

const slices = [
${first.map((slice, i) => `  '${slice}',\n  '${second[i]}',`).join('\n')}
];

/** With fused multiply-add (relaxed SIMD). */
export const fused = slices.filter((_, i) => i % 2 === 0).join('');

/** For engines without it. */
export const plain = slices.filter((_, i) => i % 2 === 1).join('');
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

import v8 from 'node:v8';

// (func (param n i32)): a loop of 8 relaxed multiply-adds on f32x4 locals, n times.
const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)]);
const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];
const accumulators = 8;
const body = [
  ...[1, ...leb(accumulators + 2), 0x7b],
  ...[0x43, 0, 0, 128, 63, 0xfd, 19, 0x21, 1],
  ...[0x43, 0, 0, 0, 0, 0xfd, 19, 0x21, 2],
  ...[0x03, 0x40],
  ...Array.from({ length: accumulators }, (_, i) => [
    0x20,
    1,
    0x20,
    2,
    0x20,
    3 + i,
    0xfd,
    ...leb(0x105),
    0x21,
    3 + i,
  ]).flat(),
  ...[0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b],
  ...[
    0x20,
    3,
    ...Array.from({ length: accumulators - 1 }, (_, i) => [0x20, 4 + i, 0xfd, ...leb(0xe4)]).flat(),
    0xfd,
    31,
    0,
  ],
  0x0b,
];
const bytes = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7d]),
  ...section(3, [1, 0]),
  ...section(7, [1, 1, 0x66, 0, 0]),
  ...section(10, [1, ...leb(body.length), ...body]),
]);

/** GFLOP/s of fused multiply-adds of 128 bits on registers. */
export function peak() {
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  const n = 20_000_000;
  const times = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    f(n);
    times.push(performance.now() - start);
  }
  return (n * accumulators * 8) / times.sort((a, b) => a - b)[3] / 1e6;
}

import v8 from 'node:v8';

// (func (param n i32) (result f32)): n times a loop of relaxed multiply-adds on this many f32x4 locals. Fewer would
// wait for one another, and more would not fit into the registers.
const accumulators = 12;
const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)]);
const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];
const each = (f) => Array.from({ length: accumulators }, (_, i) => f(3 + i)).flat();
const relaxedMadd = [0xfd, ...leb(0x105)];
const add = [0xfd, ...leb(0xe4)];
const body = [
  ...[1, ...leb(accumulators + 2), 0x7b],
  ...[0x43, 0, 0, 128, 63, 0xfd, 19, 0x21, 1],
  ...[0x43, 0, 0, 0, 0, 0xfd, 19, 0x21, 2],
  ...[0x03, 0x40],
  ...each((local) => [0x20, 1, 0x20, 2, 0x20, local, ...relaxedMadd, 0x21, local]),
  ...[0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b],
  ...each((local) => [0x20, local, ...(local > 3 ? add : [])]),
  ...[0xfd, 31, 0, 0x0b],
];
const bytes = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7d]),
  ...section(3, [1, 0]),
  ...section(7, [1, 1, 0x66, 0, 0]),
  ...section(10, [1, ...leb(body.length), ...body]),
]);
v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;

/** The machine's peak: floating point operations by fused multiply-adds of 128 bits on registers only. */
const turns = 100_000;
export const flops = turns * accumulators * 8;
export const version = '';
export const cases = { 'multiply-adds': () => () => f(turns) };

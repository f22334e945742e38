// The kernels for engines without relaxed SIMD are made from the others when they are loaded: as a second module they
// would add 5 kB to every compressed bundle.

/** `f32x4.relaxed_madd`. `scripts/build-kernels.mjs` checks that a function has these bytes for nothing else. */
const madd = [0xfd, 0x85, 0x02];
const mul = [0xfd, 0xe6, 0x01];
const add = [0xfd, 0xe4, 0x01];
const localGet = 0x20;
const localSet = 0x21;
const v128 = 0x7b;

/** The ids of the sections that are read here. */
const typeSection = 1;
const functionSection = 3;
const codeSection = 10;

/** An unsigned LEB128 number: seven bits per byte, the lowest first. */
function encode(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...encode(n >>> 7)];
}

/** The module with each fused multiply-add as a product and a sum: `a b c madd` becomes `a b mul c add`. */
export function unfuse(module: Uint8Array): Uint8Array<ArrayBuffer> {
  // Skips the eight bytes of the header.
  let at = 8;
  const number = (): number => {
    const byte = module[at++]!;
    return byte < 128 ? byte : (byte & 127) + number() * 128;
  };
  const list = <T>(item: (i: number) => T): T[] => Array.from({ length: number() }, (_, i) => item(i));

  /** The number of parameters of each function type, and the type of each function. */
  let parameters: number[] = [];
  let types: number[] = [];

  const functionType = (): number => {
    at++;
    const count = number();
    at += count;
    const results = number();
    at += results;
    return count;
  };

  /** A function body. While `a` and `b` are multiplied, `c` waits in a local variable that is added. */
  const body = (i: number): number[] => {
    const size = number();
    const end = at + size;
    let local = parameters[types[i]!]!;
    const groups = list(() => {
      const count = number();
      local += count;
      return [...encode(count), module[at++]!];
    });
    const inPlace = [localSet, ...encode(local), ...mul, localGet, ...encode(local), ...add];
    const code: number[] = [];
    let found = false;
    while (at < end) {
      if (madd.every((byte, j) => module[at + j] === byte)) {
        found = true;
        at += madd.length;
        code.push(...inPlace);
      } else code.push(module[at++]!);
    }
    if (found) groups.push([1, v128]);
    const out = [...encode(groups.length), ...groups.flat()].concat(code);
    return encode(out.length).concat(out);
  };

  const out = [module.subarray(0, at)];
  while (at < module.length) {
    const start = at;
    const id = module[at++]!;
    const size = number();
    const end = at + size;
    if (id === codeSection) {
      const bodies = list(body);
      const code = encode(bodies.length).concat(...bodies);
      out.push(Uint8Array.of(id, ...encode(code.length)), Uint8Array.from(code));
    } else {
      if (id === typeSection) parameters = list(functionType);
      if (id === functionSection) types = list(number);
      out.push(module.subarray(start, end));
    }
    at = end;
  }
  return Uint8Array.from(out.flatMap((bytes) => [...bytes]));
}

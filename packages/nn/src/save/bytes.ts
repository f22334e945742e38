import { show } from '@gradgate/core/internal';

/** Memory that holds bytes. All decoders take any of these. */
export type Bytes = ArrayBufferLike | ArrayBufferView;

/** The bytes given to a decoder, also from another realm, such as an iframe. Only shared memory is copied. */
export function bytesOf(op: string, value: unknown): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = (ArrayBuffer.isView(value) ? value : {}) as Partial<ArrayBufferView>;
  if (buffer !== undefined) return ownMemory(new Uint8Array(buffer, byteOffset, byteLength));
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]')
    return ownMemory(new Uint8Array(value as ArrayBuffer));
  throw new TypeError(`${op}: expected bytes, as a Uint8Array or an ArrayBuffer, got ${show(value)}`);
}

/** Copies shared memory: text decoders refuse it, and another thread could change it after the checks. */
const ownMemory = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  (typeof SharedArrayBuffer !== 'undefined' && bytes.buffer instanceof SharedArrayBuffer
    ? bytes.slice()
    : bytes) as Uint8Array<ArrayBuffer>;

/** Shortens a name from a file for an error: it may have any length. */
export const shorten = (name: string): string => (name.length > 100 ? `${name.slice(0, 100)}…` : name);

let table: Uint32Array | undefined;

/** The checksum of zip and gzip files (ISO 3309), continued from `before`. */
export function crc32(bytes: Uint8Array, before = 0): number {
  table ??= Uint32Array.from({ length: 256 }, (_, i) => {
    let v = i;
    for (let bit = 0; bit < 8; bit++) v = v & 1 ? (v >>> 1) ^ 0xedb88320 : v >>> 1;
    return v;
  });
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

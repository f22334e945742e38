import { TensorError } from '@gradgate/core';
import { Gunzip, inflateSync } from 'fflate';
import { crc32, shorten } from './bytes.js';

// Unpacking of untrusted files: sizes are believed only as far as the packed bytes can hold them, and checksums are
// verified.

/** A member of a zip file, from the directory at the file's end. */
interface Member {
  name: string;
  method: number;
  crc: number;
  packed: number;
  size: number;
  at: number;
}

/** Made when it is needed: some engines have none. */
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Deflate expands one byte to at most 1032. */
const maxRatio = 1032;

const refuse = (op: string, message: string): never => {
  throw new TensorError(op, message);
};

/** Unpacks the members of a zip file whose names are `wanted`; together they may have `maxBytes`. */
export function unzip(
  op: string,
  bytes: Uint8Array<ArrayBuffer>,
  wanted: (name: string) => boolean,
  maxBytes: number,
): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const members = readDirectory(op, bytes, view);
  let packed = 0;
  let total = 0;
  for (const m of members) {
    packed += m.packed;
    if (m.size > maxRatio * m.packed)
      refuse(op, `the file cannot be unpacked: '${shorten(m.name)}' claims ${m.size} bytes out of ${m.packed}`);
    if (!wanted(m.name)) continue;
    total += m.size;
    if (total > maxBytes)
      refuse(
        op,
        `the file cannot be unpacked: '${shorten(m.name)}' makes it ${total} bytes, and maxBytes is ${maxBytes}`,
      );
  }
  // Members that share bytes can make a small file unpack to a huge one (Fifield, 2019).
  if (packed > bytes.length) refuse(op, 'the file cannot be unpacked: its members overlap');
  const out = new Map<string, Uint8Array>();
  for (const m of members) {
    // No checksum covers names, but each is in the file twice.
    if (nameAt(bytes, view, m) !== m.name)
      refuse(op, `the file cannot be unpacked: '${shorten(m.name)}' is not where the file says`);
    if (!wanted(m.name)) continue;
    if (out.has(m.name)) refuse(op, `the file has two members '${shorten(m.name)}'`);
    out.set(m.name, readMember(op, bytes, view, m));
  }
  return out;
}

function readDirectory(op: string, bytes: Uint8Array, view: DataView): Member[] {
  const no = (): never => refuse(op, 'the file cannot be unpacked: it is not a complete zip file');
  const at = (offset: number, length: number): number =>
    offset >= 0 && offset + length <= bytes.length ? offset : no();
  const wide = (offset: number): number => Number(view.getBigUint64(at(offset, 8), true));
  // The record at the end may be followed by a comment of up to 65,535 bytes.
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) if (--end < bytes.length - 22 - 65535) no();
  let count = view.getUint16(at(end, 22) + 10, true);
  let offset = view.getUint32(end + 16, true);
  let directoryEnd = end;
  if ((count === 0xffff || offset === 0xffffffff) && end >= 20 && view.getUint32(end - 20, true) === 0x07064b50) {
    const zip64 = wide(end - 12);
    if (view.getUint32(at(zip64, 56), true) !== 0x06064b50) no();
    count = wide(zip64 + 32);
    offset = wide(zip64 + 48);
    directoryEnd = zip64;
  }
  const members: Member[] = [];
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at(offset, 46), true) !== 0x02014b50) no();
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((d) => view.getUint16(offset + d, true));
    const [packed32, size32, at32] = [20, 24, 42].map((d) => view.getUint32(offset + d, true));
    const extraAt = at(offset + 46, nameLength! + extraLength! + commentLength!) + nameLength!;
    const member = {
      name: textOf(bytes.subarray(offset + 46, extraAt)),
      method: view.getUint16(offset + 10, true),
      crc: view.getUint32(offset + 16, true),
      packed: packed32!,
      size: size32!,
      at: at32!,
    };
    // Numbers that do not fit in 32 bits are in the extra field, in this order.
    for (let e = extraAt; e + 4 <= extraAt + extraLength!; e += 4 + view.getUint16(e + 2, true)) {
      if (view.getUint16(e, true) !== 1) continue;
      let field = e + 4;
      for (const key of ['size', 'packed', 'at'] as const)
        if (member[key] === 0xffffffff) {
          member[key] = wide(field);
          field += 8;
        }
    }
    members.push(member);
    offset = extraAt + extraLength! + commentLength!;
  }
  // With a damaged count members would be lost silently.
  if (offset !== directoryEnd) no();
  return members;
}

/** The name of a member in its own header. */
function nameAt(bytes: Uint8Array, view: DataView, { at }: Member): string | null {
  if (at + 30 > bytes.length || view.getUint32(at, true) !== 0x04034b50) return null;
  return textOf(bytes.subarray(at + 30, at + 30 + view.getUint16(at + 26, true)));
}

function readMember(op: string, bytes: Uint8Array, view: DataView, m: Member): Uint8Array {
  const damaged = (why: string): never => refuse(op, `the file cannot be unpacked: '${shorten(m.name)}' ${why}`);
  const start = m.at + 30 + view.getUint16(m.at + 26, true) + view.getUint16(m.at + 28, true);
  if (start + m.packed > bytes.length) damaged('is truncated');
  const packed = bytes.subarray(start, start + m.packed);
  let data: Uint8Array;
  if (m.method === 0) data = packed;
  else if (m.method === 8) {
    try {
      data = inflateSync(packed, { out: new Uint8Array(m.size) });
    } catch (error) {
      data = damaged(`is damaged: ${(error as Error).message}`);
    }
  } else data = damaged(`is packed by method ${m.method}; only 0 (stored) and 8 (deflated) can be read`);
  if (data.length !== m.size) damaged(`has ${data.length} bytes, and the file says ${m.size}`);
  if (crc32(data) !== m.crc) damaged('is damaged: its checksum is wrong');
  return data;
}

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Unpacks a gzip file; throws if it has more than `maxBytes`. */
export function gunzip(op: string, bytes: Uint8Array<ArrayBuffer>, maxBytes: number): Uint8Array<ArrayBuffer> {
  if (bytes.length < 18) refuse(op, 'the file cannot be unpacked: it is not a complete gzip file');
  const chunks: Uint8Array[] = [];
  let total = 0;
  let later = 0;
  const stream = new Gunzip((chunk) => {
    total += chunk.length;
    if (total > maxBytes)
      refuse(op, `the file cannot be unpacked: it has more than the ${maxBytes} bytes that maxBytes allows`);
    chunks.push(chunk);
  });
  stream.onmember = () => later++;
  try {
    const step = 64 * 1024;
    for (let at = 0; at < bytes.length; at += step)
      stream.push(bytes.subarray(at, at + step), at + step >= bytes.length);
  } catch (error) {
    if (error instanceof TensorError) throw error;
    refuse(op, `the file cannot be unpacked: ${(error as Error).message}`);
  }
  const out = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  // The checksum at the end covers the last member, which is the whole file if there is only one.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (later === 0 && crc32(out) !== view.getUint32(bytes.length - 8, true))
    refuse(op, 'the file cannot be unpacked: its checksum is wrong');
  return out;
}

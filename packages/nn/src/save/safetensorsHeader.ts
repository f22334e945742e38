import { TensorError } from '@gradgate/core';
import { shorten } from './bytes.js';

/** Text by name that is stored with the tensors. */
export type Metadata = Record<string, string>;

/** A tensor in the header, with its range of bytes after the header. */
export interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  start: number;
  end: number;
}

export interface Header {
  entries: Entry[];
  metadata: Metadata;
}

/** The limit of the format. */
const maxHeader = 100_000_000;
/** A tensor takes about eight commas, so this allows for 200,000 tensors and more. */
const maxCommas = 2_000_000;

/** Reads the length of the header from the first 8 bytes of a file of `size` bytes. */
export function headerLength(op: string, start: Uint8Array, size: number): number {
  if (start.length < 8) throw new TensorError(op, `a file of ${start.length} bytes is not a .safetensors file`);
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maxHeader))
    throw new TensorError(op, `the header claims ${length} bytes; at most ${maxHeader} are allowed`);
  if (8 + Number(length) > size)
    throw new TensorError(op, `the file is truncated: a header of ${length} bytes in ${size}`);
  return Number(length);
}

/**
 * Parses the header and checks it as a whole: dtypes must be in `widths`, which has their bytes, and the tensors must
 * fill the `size` bytes after it without overlaps or gaps.
 */
export function parseHeader(
  op: string,
  bytes: Uint8Array,
  size: number,
  widths: Readonly<Record<string, { readonly bytes: number }>>,
): Header {
  const refuse = (message: string): never => {
    throw new TensorError(op, message);
  };
  if (!isModest(bytes, 3, maxCommas)) refuse('the header is nested too deep, or has more entries than any model');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return refuse(`the header is not JSON: ${(error as Error).message}`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) refuse('the header is not an object');
  const { __metadata__: metadata = {}, ...described } = header as Record<string, unknown>;
  if (typeof metadata !== 'object' || metadata === null || Object.values(metadata).some((v) => typeof v !== 'string'))
    refuse('the metadata is not text by name');

  const whole = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
  const entries = Object.entries(described).map(([name, value]): Entry => {
    const text = shorten(name);
    const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
    if (typeof dtype !== 'string' || !Object.hasOwn(widths, dtype))
      return refuse(`'${text}' has dtype ${shorten(String(dtype))}; known are ${Object.keys(widths).join(', ')}`);
    if (!Array.isArray(shape) || shape.length > 64 || !shape.every(whole))
      return refuse(`'${text}' has no valid shape`);
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole))
      return refuse(`'${text}' has no valid data_offsets`);
    const [start, end] = offsets as [number, number];
    const takes = shape.reduce((n: number, v) => n * v, widths[dtype]!.bytes);
    if (!whole(takes) || end - start !== takes)
      return refuse(
        `'${text}' of shape [${shape.join(', ')}] takes ${takes} bytes, and its offsets span ${end - start}`,
      );
    return { name, dtype, shape, start, end };
  });
  let at = 0;
  for (const { name, start, end } of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== at)
      refuse(`'${shorten(name)}' starts at ${start}, expected ${at}: tensors may neither overlap nor leave gaps`);
    at = end;
  }
  if (at !== size) refuse(`the header describes ${at} bytes of tensors, and the file has ${size}`);
  return { entries, metadata: metadata as Metadata };
}

/**
 * Checks the depth and the number of commas of JSON before it is parsed: hostile text can take 50 times its size then.
 */
export function isModest(json: Uint8Array, depth: number, commas: number): boolean {
  let inText = false;
  for (let i = 0; i < json.length; i++) {
    const c = json[i]!;
    if (inText) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inText = false;
    } else if (c === 0x22) inText = true;
    else if (c === 0x5b || c === 0x7b) {
      if (--depth < 0) return false;
    } else if (c === 0x5d || c === 0x7d) depth++;
    else if (c === 0x2c && --commas < 0) return false;
  }
  return true;
}

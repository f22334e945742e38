import type { DType } from '@gradgate/core';
import { isFloat } from '@gradgate/core/internal';
import type { Word } from './gpu.js';

/** The type of words for a dtype. */
export const wordOf = (dtype: DType): Word => (dtype === 'float32' || isFloat(dtype) ? 'f32' : 'i32');

/** WGSL that converts a value between types of words. */
export function converted(value: string, from: Word, to: Word): string {
  if (from === to) return value;
  return to === 'f32' ? `f32(${value})` : `to_int(${value})`;
}

/** WGSL that converts a value to a word of a dtype: rounded, wrapped or to 0 and 1. */
export function stored(value: string, given: Word | 'bool', dtype: DType): string {
  if (given === 'bool') return wordOf(dtype) === 'f32' ? `select(0.0, 1.0, ${value})` : `select(0, 1, ${value})`;
  if (dtype === 'bool') return given === 'f32' ? `to_bool(${value})` : `select(0, 1, (${value}) != 0)`;
  const word = converted(`(${value})`, given, wordOf(dtype));
  switch (dtype) {
    case 'float16':
      return `to_float16(${word})`;
    case 'bfloat16':
      return `to_bfloat16(${word})`;
    case 'uint8':
      return `(${word} & 255)`;
    case 'int8':
      return `((${word} << 24u) >> 24u)`;
    case 'int16':
      return `((${word} << 16u) >> 16u)`;
    default:
      return word;
  }
}

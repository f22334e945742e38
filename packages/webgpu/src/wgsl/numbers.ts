/** Values: infinities and NaN, conversions and comparisons. */
export const numbers = {
  // Compilers may assume that there is no NaN and no infinity, and reject constants of them. So these are made from
  // bits in a variable, and detected by their bits.
  infinity: `var<private> infinity_bits: u32 = 0x7f800000u;
fn infinity() -> f32 { return bitcast<f32>(infinity_bits); }`,
  not_a_number: `var<private> nan_bits: u32 = 0x7fc00000u;
fn not_a_number() -> f32 { return bitcast<f32>(nan_bits); }`,
  is_nan: 'fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }',
  is_infinite: 'fn is_infinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }',
  is_negative: 'fn is_negative(x: f32) -> bool { return (bitcast<u32>(x) & 0x80000000u) != 0u; }',
  // Truncates; NaN becomes 0.
  to_int:
    'fn to_int(x: f32) -> i32 { if (is_nan(x)) { return 0; } return i32(clamp(x, -2147483648.0, 2147483520.0)); }',
  to_bool: 'fn to_bool(x: f32) -> i32 { return select(0, 1, is_nan(x) || x != 0.0); }',
  // Rounds to nearest, ties to even, as `tensor/coding.ts` of core does.
  to_bfloat16: `fn to_bfloat16(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let word = bitcast<u32>(x);
  return bitcast<f32>((word + 0x7fffu + ((word >> 16u) & 1u)) & 0xffff0000u);
}`,
  to_float16: `fn to_float16(x: f32) -> f32 {
  let word = bitcast<u32>(x);
  let size = word & 0x7fffffffu;
  let sign = word & 0x80000000u;
  if (size > 0x7f800000u) { return x; }
  if (size >= 0x47800000u) { return bitcast<f32>(sign | 0x7f800000u); }
  if (size >= 0x38800000u) {
    let rounded = (size + 0xfffu + ((size >> 13u) & 1u)) & 0xffffe000u;
    if (rounded >= 0x47800000u) { return bitcast<f32>(sign | 0x7f800000u); }
    return bitcast<f32>(sign | rounded);
  }
  let small = round(bitcast<f32>(size) * 16777216.0) / 16777216.0;
  return bitcast<f32>(sign | bitcast<u32>(small));
}`,
  is_within: 'fn is_within(x: f32, limit: f32) -> bool { return x >= -limit && x <= limit; }',
  six: 'fn six(x: f32) -> f32 { if (is_nan(x)) { return x; } return min(max(x + 3.0, 0.0), 6.0) / 6.0; }',
  // Whether a comes before b in ascending order, with NaN last.
  before: 'fn before(a: f32, b: f32) -> bool { if (is_nan(b)) { return !is_nan(a); } return a < b; }',
  alike: 'fn alike(a: f32, b: f32) -> bool { return a == b || (is_nan(a) && is_nan(b)); }',
  // The first 12 binary digits: products of two such are exact.
  upper_half: 'fn upper_half(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }',
};

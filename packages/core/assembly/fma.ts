/** `a * b + c`, fused; `unfuse.ts` makes a product and a sum of it where the engine has no relaxed SIMD. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c);
}

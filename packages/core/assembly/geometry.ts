// The shape of a convolution, stored at `g` as sixteen integers.

// @ts-ignore: decorator
@inline
export function groupsOf(g: usize): i32 { return load<i32>(g); }
// @ts-ignore: decorator
@inline
export function inputsOf(g: usize): i32 { return load<i32>(g, 4); }
// @ts-ignore: decorator
@inline
export function outputsOf(g: usize): i32 { return load<i32>(g, 8); }
// @ts-ignore: decorator
@inline
export function imageOf(g: usize): i32 { return inputsOf(g) * load<i32>(g, 12) * load<i32>(g, 16); }
// @ts-ignore: decorator
@inline
export function positionsOf(g: usize): i32 { return load<i32>(g, 52) * load<i32>(g, 56); }
// @ts-ignore: decorator
@inline
export function patchOf(g: usize): i32 { return inputsOf(g) * load<i32>(g, 20) * load<i32>(g, 24); }
/** Elements of an image with its padding. */
// @ts-ignore: decorator
@inline
export function paddedOf(g: usize): i32 {
  return inputsOf(g) * (load<i32>(g, 12) + 2 * load<i32>(g, 36)) * (load<i32>(g, 16) + 2 * load<i32>(g, 40));
}

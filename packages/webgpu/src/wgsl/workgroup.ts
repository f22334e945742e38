/** What the threads of a workgroup compute together. */
export const workgroup = {
  // Sums and maxima over the 64 threads of a workgroup, returned to all of them.
  group_sum: `var<workgroup> summands: array<f32, 64>;
fn group_sum(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  summands[lane] = value;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if (lane < step) { summands[lane] += summands[lane + step]; }
    workgroupBarrier();
  }
  return summands[0];
}`,
  group_max: `var<workgroup> candidates: array<f32, 64>;
fn group_max(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  candidates[lane] = value;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if (lane < step && candidates[lane + step] > candidates[lane]) { candidates[lane] = candidates[lane + step]; }
    workgroupBarrier();
  }
  return candidates[0];
}`,
};

// Fills of shared memory, which JavaScript would write element by element.

/** Fills `n` floats with a value. */
export function fill(to: usize, value: f32, n: usize): void {
  if (value == 0) {
    memory.fill(to, 0, n << 2);
    return;
  }
  const v = f32x4.splat(value);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) v128.store(to + i * 4, v);
  for (; i < n; i++) store<f32>(to + i * 4, value);
}

/** Repeats the `n` floats at `to`, `times` times in all. Each copy doubles what is there, as short copies cost as much as long ones. */
export function repeat(to: usize, n: usize, times: usize): void {
  const all = n * times * 4;
  let done = n * 4;
  while (done < all) {
    const some = done < all - done ? done : all - done;
    memory.copy(to + done, to, some);
    done += some;
  }
}

/** Elements of four dimensions, some distances apart, in row-major order. */
export function copyStrided(
  to: usize, from: usize, n0: usize, n1: usize, n2: usize, n3: usize, s0: usize, s1: usize, s2: usize, s3: usize,
): void {
  for (let i: usize = 0; i < n0; i++)
    for (let j: usize = 0; j < n1; j++)
      for (let k: usize = 0; k < n2; k++) {
        let at = from + (i * s0 + j * s1 + k * s2) * 4;
        for (const end = to + n3 * 4; to < end; to += 4, at += s3 * 4) store<f32>(to, load<f32>(at));
      }
}

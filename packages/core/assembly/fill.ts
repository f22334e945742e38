// What JavaScript does slowly where memory is shared: it then writes element by element.

/** `n` floats of one value. */
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

/** The `n` floats at `to`, again and again, `times` in all. */
export function repeat(to: usize, n: usize, times: usize): void {
  for (let i: usize = 1; i < times; i++) memory.copy(to + i * n * 4, to, n * 4);
}

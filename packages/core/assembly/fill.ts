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

/** The `n` floats at `to`, again and again, `times` in all: each copy takes all that is there, as short ones cost as much. */
export function repeat(to: usize, n: usize, times: usize): void {
  const all = n * times * 4;
  let done = n * 4;
  while (done < all) {
    const some = done < all - done ? done : all - done;
    memory.copy(to + done, to, some);
    done += some;
  }
}

import { onBackwardEnd, tensor } from '@gradgate/core';
import { expect, it } from 'vitest';

it('is called once, behind the whole pass, or as failed where the pass fails', () => {
  const calls: string[] = [];
  const x = tensor([1, 2]);
  x.requiresGrad = true;
  const y = x.mul(2);
  let fails = false;
  y.registerHook(() => {
    onBackwardEnd(
      () => calls.push(`done, with ${x.grad ? 'a' : 'no'} gradient`),
      () => calls.push('failed'),
    );
    if (fails) throw new Error('on purpose');
  });
  const loss = y.sum();
  loss.backward({ retainGraph: true });
  expect(calls).toEqual(['done, with a gradient']);
  fails = true;
  expect(() => loss.backward({ retainGraph: true })).toThrow('on purpose');
  expect(calls).toEqual(['done, with a gradient', 'failed']);
});

it('refuses what is no function, and a call outside of a pass', () => {
  expect(() => onBackwardEnd(3 as never)).toThrow('onBackwardEnd: done must be a function, got 3');
  expect(() => onBackwardEnd(() => {}, 'x' as never)).toThrow("onBackwardEnd: failed must be a function, got 'x'");
  expect(() => onBackwardEnd(() => {})).toThrow(/no backward pass is under way/);
});

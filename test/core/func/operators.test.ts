import { allclose, dropout, Generator, grad, manualSeed, randn, stack, Tensor } from '@gradgate/core';
import * as func from '@gradgate/core/func';
import { vmap } from '@gradgate/core/func';
import { describe, expect, it } from 'vitest';
import { cases } from '../operators.js';

const size = 3;

/** What cannot be done for a batch: random numbers without a word of it, and complex ones. */
const refused = ['dropout', 'linalg.eig', 'linalg.eigvals'];

const close = { rtol: 1e-7, atol: 1e-8, equalNan: true };

/** Each operator for three examples of the table's shapes: to be called for all at once, and for one after the other. */
function both(name: string) {
  const [fn, ...makers] = cases[name]!;
  const call = (...inputs: Tensor[]): Tensor[] => {
    const result: any = fn(...inputs);
    return Tensor.is(result) ? [result] : Array.isArray(result) ? result : Object.values(result);
  };
  const examples = Array.from({ length: size }, () => makers.map((make) => make()));
  const batches = makers.map((_, k) =>
    stack(examples.map((inputs) => inputs[k]!.detach())).requiresGrad_(examples[0]![k]!.requiresGrad),
  );
  return { call, examples, batches };
}

const sumOf = (terms: readonly Tensor[]): Tensor => terms.reduce((a, b) => a.add(b));

const weighted = (outs: readonly Tensor[]): Tensor =>
  sumOf(outs.filter((t) => t.requiresGrad).map((t) => t.mul(t.detach().cos()).sum()));

const tracked = (tensors: readonly Tensor[]): Tensor[] => tensors.filter((t) => t.requiresGrad);

const options = { createGraph: true, allowUnused: true, materializeGrads: true } as const;

/** First gradients, and the gradients of a function of these; null where they have none. */
function gradients(outs: readonly Tensor[], inputs: readonly Tensor[]): { first: Tensor[]; second: Tensor[] } {
  const first = grad(weighted(outs), inputs, options);
  const open = tracked(first);
  const second =
    open.length === 0
      ? inputs.map((t) => t.detach().mul(0))
      : grad(sumOf(open.map((g) => g.cos().sum())), inputs, options);
  return { first, second };
}

const works = Object.keys(cases).filter((name) => !refused.includes(name));

describe('every operator under vmap gives what a loop gives', () => {
  it.each(works)('%s', (name) => {
    const { call, examples, batches } = both(name);
    const all = vmap(call)(...batches);
    const single = examples.map((inputs) => call(...inputs));
    for (const [i, t] of all.entries()) {
      const expected = stack(single.map((outs) => outs[i]!.detach()));
      expect(t.dtype).toBe(expected.dtype);
      expect(t.shape).toEqual(expected.shape);
      expect(allclose(t.detach(), expected, close)).toBe(true);
      expect(t.requiresGrad).toBe(single[0]![i]!.requiresGrad);
    }
    if (tracked(all).length === 0) return;
    const together = gradients(all, tracked(batches));
    const apart = examples.map((inputs, i) => gradients(single[i]!, tracked(inputs)));
    for (const which of ['first', 'second'] as const)
      for (const [k, g] of together[which].entries())
        expect(allclose(g.detach(), stack(apart.map((all) => all[which][k]!.detach())), close)).toBe(true);
  });
});

describe('the gradient of every operator is computed for each example', () => {
  it.each(works)('%s', (name) => {
    const { call, examples, batches } = both(name);
    if (tracked(call(...examples[0]!)).length === 0) return;
    const argnums = [...batches.keys()].filter((k) => batches[k]!.requiresGrad);
    const loss = (...inputs: Tensor[]) => weighted(call(...inputs));
    const perExample = func.grad(loss, { argnums });
    const all = vmap((...inputs: Tensor[]) => perExample(...inputs))(...batches.map((t) => t.detach()));
    const apart = examples.map((inputs) => grad(loss(...inputs), tracked(inputs), { ...options, createGraph: false }));
    for (const [k, g] of all.entries()) expect(allclose(g, stack(apart.map((grads) => grads[k]!)), close)).toBe(true);
  });
});

describe('the derivative of every operator along a direction agrees with its gradient', () => {
  it.each(Object.keys(cases))('%s', (name) => {
    const [fn, ...makers] = cases[name]!;
    const inputs = makers.map((make) => make());
    const call = (...given: Tensor[]): Tensor[] => {
      manualSeed(1);
      const result: any = fn(...inputs.map((t) => (t.requiresGrad ? given.shift()! : t)));
      const outs: Tensor[] = Tensor.is(result) ? [result] : Array.isArray(result) ? result : Object.values(result);
      return tracked(outs);
    };
    const primals = tracked(inputs).map((t) => t.detach());
    if (primals.length === 0) return;
    const like = (t: Tensor): Tensor => randn(t.shape, { dtype: 'float64' }).to(t.dtype);
    const directions = primals.map(like);
    const [values, derivatives] = func.jvp(call, primals, directions);
    const weights = values.map(like);
    const [, pullback] = func.vjp(call, primals);
    const product = (a: readonly Tensor[], b: readonly Tensor[]): number =>
      a.reduce((total, t, i) => total + t.mul(b[i]!).sum().item(), 0);
    expect(product(derivatives, weights)).toBeCloseTo(product(pullback(weights), directions), 6);
  });
});

describe('what cannot be done for a batch is refused by the name of the operator', () => {
  it.each(refused)('%s', (name) => {
    const { call, batches } = both(name);
    expect(() => vmap(call)(...batches)).toThrow(new RegExp(`^${name.replace(/^\w+\./, '')}: .* inside of vmap`));
  });
});

it('dropout draws for each example, or for all', () => {
  const drop = vmap((x: Tensor) => dropout(x, { generator: new Generator(1) }), { randomness: 'same' });
  const [fn] = cases['dropout']!;
  const x = stack([0, 1, 2].map(() => cases['dropout']![1]!().detach()));
  expect(allclose(drop(x), stack([...x].map((t) => fn(t) as Tensor)))).toBe(true);
});

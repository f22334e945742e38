import 'reflect-metadata';
import { enableGrad, gradPolicies, isGradEnabled, noGrad, randn, type Tensor } from '@gradgate/core';
import { Linear, Module, Sequential } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

class Base extends Module {
  frozen = false;
  fc = new Linear(3, 2);
  #calls = 0;
  override forward(x: Tensor): Tensor {
    this.#calls++;
    return this.fc(x);
  }
  get calls(): number {
    return this.#calls;
  }
  @noGrad evaluate(x: Tensor): Tensor {
    return this.forward(x);
  }
  @noGrad(function (this: Base) {
    return this.frozen;
  })
  embed(x: Tensor): Tensor {
    return this.fc(x);
  }
  @noGrad get norm(): Tensor {
    return this.fc.weight.norm();
  }
  @noGrad async score(x: Tensor): Promise<boolean[]> {
    const before = isGradEnabled();
    await Promise.resolve();
    return [before, isGradEnabled(), this.forward(x).requiresGrad];
  }
}
class Middle extends Base {
  override evaluate(x: Tensor): Tensor {
    expect(isGradEnabled()).toBe(true);
    const y = super.evaluate(x);
    expect(isGradEnabled()).toBe(true);
    return y;
  }
}
class Leaf extends Middle {
  head = new Linear(2, 2);
  @noGrad override forward(x: Tensor): Tensor {
    return super.forward(x);
  }
  @enableGrad override embed(x: Tensor): Tensor {
    return this.head(super.embed(x));
  }
}

describe('modules with decorated methods, legacy decorators', () => {
  const x = randn([1, 3]);

  it('reads reflect-metadata’s types, as the tsconfig beside says', () => {
    expect(Reflect.getMetadata('design:paramtypes', Base.prototype, 'evaluate')).toHaveLength(1);
  });

  it('guards inherited methods and super calls through three levels', () => {
    const [base, middle, leaf] = [new Base(), new Middle(), new Leaf()];
    expect([base.evaluate(x), middle.evaluate(x), leaf.evaluate(x)].map((y) => y.requiresGrad)).toEqual([
      false,
      false,
      false,
    ]);
    expect([base(x), middle(x), leaf(x)].map((y) => y.requiresGrad)).toEqual([true, true, false]);
    expect([base.calls, middle.calls, leaf.calls]).toEqual([2, 2, 2]);
    expect([leaf.norm.requiresGrad, leaf instanceof Base, isGradEnabled()]).toEqual([false, true, true]);
  });

  it('asks the condition of the instance it is called on', () => {
    const [a, b, leaf] = [new Middle(), new Middle(), new Leaf()];
    a.frozen = true;
    leaf.frozen = true;
    expect([a.embed(x), b.embed(x), a.embed(x)].map((y) => y.requiresGrad)).toEqual([false, true, false]);
    // The head records, what comes from super's frozen embed does not.
    leaf.embed(x).sum().backward();
    expect([leaf.head.weight.grad !== null, leaf.fc.weight.grad]).toEqual([true, null]);
  });

  it('runs hooks in the caller’s mode, forward in its own', () => {
    const leaf = new Leaf();
    const seen: boolean[] = [];
    leaf.registerForwardPreHook(() => void seen.push(isGradEnabled()));
    leaf.fc.registerForwardHook(() => void seen.push(isGradEnabled()));
    leaf.registerForwardHook(() => void seen.push(isGradEnabled()));
    new Sequential(leaf)(x);
    expect(seen).toEqual([true, false, true]);
  });

  it('covers async methods of modules before and after awaits', async () => {
    const running = new Leaf().score(x);
    expect(isGradEnabled()).toBe(true);
    expect(await running).toEqual([false, false, false]);
  });

  it('declares its policies, inherited ones included', () => {
    expect(gradPolicies(Leaf).map((p) => `${p.declaredIn}.${String(p.member)} ${p.gate}`)).toEqual([
      'Base.norm noGrad',
      'Base.score noGrad',
      'Leaf.forward noGrad',
      'Leaf.embed enableGrad',
    ]);
  });
});

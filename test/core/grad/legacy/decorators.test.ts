import 'reflect-metadata';
import { enableGrad, gradPolicies, isGradEnabled, noGrad } from '@gradgate/core';
import { describe, expect, it } from 'vitest';

let flag = false;

class A {
  constructor(readonly frozen = false) {}
  @noGrad m(x: number): [number, boolean] {
    return [x, isGradEnabled()];
  }
  @noGrad() n() {
    return isGradEnabled();
  }
  @noGrad(() => flag) c() {
    return isGradEnabled();
  }
  @noGrad(function (this: A) {
    return this.frozen;
  })
  own() {
    return isGradEnabled();
  }
  @noGrad static s() {
    return isGradEnabled();
  }
  @noGrad get g() {
    return isGradEnabled();
  }
  seen: boolean[] = [];
  @noGrad set v(_: number) {
    this.seen.push(isGradEnabled());
  }
  @noGrad async later() {
    await null;
    return isGradEnabled();
  }
  @noGrad *steps() {
    yield isGradEnabled();
    yield isGradEnabled();
  }
  @noGrad @enableGrad stacked() {
    return isGradEnabled();
  }
  @noGrad 42() {
    return isGradEnabled();
  }
  @noGrad 'a b'() {
    return isGradEnabled();
  }
  @noGrad [Symbol.toPrimitive]() {
    return Number(isGradEnabled());
  }
}

describe('the legacy dialect (experimentalDecorators, emitDecoratorMetadata)', () => {
  it('methods, static methods and symbols are guarded', () => {
    expect(new A().m(3)).toEqual([3, false]);
    expect([new A().n(), A.s(), Number(new A()), new A().stacked()]).toEqual([false, false, 0, true]);
    expect([A.prototype.m.name, A.prototype.m.length]).toEqual(['m', 1]);
    expect(Object.getOwnPropertyDescriptor(A.prototype, 'm')!.enumerable).toBe(false);
  });

  it('members with numbers and texts for names are guarded', () => {
    expect([new A()[42](), new A()['a b']()]).toEqual([false, false]);
    expect(gradPolicies(A).map(({ member }) => member)).toEqual(expect.arrayContaining(['42', 'a b']));
  });

  it('conditions are read at each call, with this', () => {
    for (flag of [true, false]) expect(new A().c()).toBe(!flag);
    expect([new A(true).own(), new A(false).own()]).toEqual([false, true]);
  });

  it('getters and setters are guarded', () => {
    const a = new A();
    a.v = 1;
    expect([a.g, a.seen]).toEqual([false, [false]]);
  });

  it('generators and async methods are guarded', async () => {
    expect([...new A().steps()]).toEqual([false, false]);
    expect(await new A().later()).toBe(false);
  });

  it('overriding and inheriting', () => {
    class B extends A {
      override n() {
        return isGradEnabled() && !super.n() && isGradEnabled();
      }
    }
    expect([new B().n(), new B(true).own()]).toEqual([true, false]);
    expect(gradPolicies(B).map((p) => String(p.member))).not.toContain('n');
  });

  it('keeps metadata through reflect-metadata, and leaves that of the compiler', () => {
    expect(gradPolicies(A).find((p) => p.member === 'own')).toMatchObject({
      gate: 'noGrad',
      kind: 'method',
      static: false,
      declaredIn: 'A',
    });
    expect(gradPolicies(A).find((p) => p.member === 's')).toMatchObject({ static: true });
    expect(Reflect.getMetadata('design:paramtypes', A.prototype, 'm')).toEqual([Number]);
    expect(Reflect.getOwnMetadataKeys(A.prototype)).toContain(Symbol.for('gradgate.policies'));
  });

  it('classes, fields and flags are refused with advice', () => {
    const apply =
      (decorator: any, ...args: unknown[]) =>
      () =>
        decorator(...args);
    expect(apply(noGrad, A)).toThrow(/not a class \(A\); decorate its methods/);
    expect(apply(noGrad, A.prototype, 'field', undefined)).toThrow(/not the field field: make it a method/);
    expect(apply(noGrad(true), A.prototype, 'm', {})).toThrow(/would freeze the flag/);
  });
});

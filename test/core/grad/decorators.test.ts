import {
  enableGrad,
  gradMode,
  gradModeStack,
  gradPolicies,
  isGradEnabled,
  noGrad,
  original,
  setDevelopmentMode,
} from '@gradgate/core';
import { afterEach, describe, expect, it } from 'vitest';

afterEach(() => {
  setDevelopmentMode(false);
  expect([isGradEnabled(), gradModeStack()]).toEqual([true, []]);
});

describe('C. forms and conditions', () => {
  it('@noGrad and @noGrad() mean the same, and applying them changes nothing', () => {
    class A {
      @noGrad a() {
        return isGradEnabled();
      }
      @noGrad() b() {
        return isGradEnabled();
      }
    }
    expect(isGradEnabled()).toBe(true);
    expect([new A().a(), new A().b()]).toEqual([false, false]);
  });

  it('the flag is read at each call; where false the mode is the caller’s', () => {
    let flag = true;
    class A {
      @noGrad(() => flag) m() {
        return isGradEnabled();
      }
      @enableGrad(() => flag) e() {
        return isGradEnabled();
      }
      @gradMode(() => flag) g() {
        return isGradEnabled();
      }
    }
    const a = new A();
    expect([a.m(), a.e(), a.g()]).toEqual([false, true, true]);
    flag = false;
    expect([a.m(), a.e(), a.g()]).toEqual([true, true, false]);
    noGrad.run(() => expect([a.m(), a.e()]).toEqual([false, false]));
  });

  it('the condition runs once a call, in the caller’s mode, with this and the arguments', () => {
    const calls: unknown[] = [];
    class A {
      @noGrad(function (this: A, ...args: unknown[]) {
        calls.push([this, args, isGradEnabled()]);
        return true;
      })
      m(..._args: unknown[]) {
        return isGradEnabled();
      }
    }
    const a = new A();
    a.m(1, 'two');
    expect(calls).toEqual([[a, [1, 'two'], true]]);
  });

  it('the flag changing while the body runs does not change the mode of that call', () => {
    let flag = true;
    const f = noGrad(() => flag).wrap(() => {
      flag = false;
      return isGradEnabled();
    });
    expect(f()).toBe(false);
  });

  it('in recursion each level asks its own condition and restores its own caller', () => {
    class A {
      @noGrad((n: number) => n % 2 === 0)
      m(n: number): boolean[] {
        const before = isGradEnabled();
        const below = n > 0 ? this.m(n - 1) : [];
        expect(isGradEnabled()).toBe(before);
        return [before, ...below];
      }
    }
    expect(new A().m(3)).toEqual([true, false, false, false]);
    expect(isGradEnabled()).toBe(true);
  });

  it.each([
    ['a promise', () => Promise.resolve(true), /noGrad: the condition on m gave a promise; it must be synchronous/],
    ['a rejected promise', () => Promise.reject(new Error('x')), /gave a promise/],
    ['a number', () => 1, /must give true or false, got number 1/],
    ['undefined', () => undefined, /got undefined/],
    ['null', () => null, /got null/],
  ])('C10 a condition that gives %s throws, and the body does not run', (_, condition, message) => {
    let ran = false;
    class A {
      @noGrad(condition as never) m() {
        ran = true;
      }
    }
    expect(() => new A().m()).toThrow(TypeError);
    expect(() => new A().m()).toThrow(message);
    expect(ran).toBe(false);
  });

  it('@noGrad(true) is refused: it would freeze the flag', () => {
    expect(() => {
      class A {
        // @ts-expect-error a boolean is not a decorator
        @noGrad(true) m() {}
      }
      return A;
    }).toThrow(/would freeze the flag when the class is defined; write @noGrad\(\(\) => flag\)/);
    expect(() => noGrad('x' as never)).toThrow(/takes a condition .* or a boolean, got string/);
  });

  it('of stacked decorators the inner one decides for the body', () => {
    class A {
      @noGrad @enableGrad m() {
        return isGradEnabled();
      }
      @enableGrad @noGrad n() {
        return isGradEnabled();
      }
    }
    expect([new A().m(), new A().n()]).toEqual([true, false]);
  });

  it('one decorator value is safe on many methods', () => {
    const off = noGrad(() => true);
    class A {
      @off a() {
        return this.b();
      }
      @off b() {
        return isGradEnabled();
      }
    }
    expect(new A().a()).toBe(false);
  });

  it('wrap works on arrows, bound functions, natives and methods with this', () => {
    const o = {
      x: 1,
      get() {
        return [this.x, isGradEnabled()];
      },
    };
    expect(noGrad.wrap(() => isGradEnabled())()).toBe(false);
    expect(noGrad.wrap(o.get.bind(o))()).toEqual([1, false]);
    expect(noGrad.wrap(Math.max)(1, 3)).toBe(3);
    expect(noGrad.wrap(o.get).call({ x: 2, get: o.get })).toEqual([2, false]);
    expect(() => noGrad.wrap(3 as never)).toThrow(/noGrad.wrap: takes a function, got number/);
  });

  it('a class is refused with advice', () => {
    expect(() => {
      // @ts-expect-error a class is not a method
      @noGrad
      class A {}
      return A;
    }).toThrow(/not a class: decorate the methods of A/);
    class B {
      m() {}
    }
    expect(() => noGrad(B as never)).toThrow(/not a class \(B\)/);
  });

  it('a field is refused with advice', () => {
    expect(() => {
      class A {
        // @ts-expect-error a field is not a method
        @noGrad f = 1;
      }
      return A;
    }).toThrow(/not the field f: make it a method/);
  });

  it.each<[string, unknown[], RegExp]>([
    ['a legacy field', [{}, 'f', null], /not the field f/],
    ['a method of nothing', [undefined, { kind: 'method', name: 'm' }], /not the field m/],
    ['an accessor of nothing', [null, { kind: 'accessor', name: 'x' }], /not the field x/],
    ['a legacy getter that is no function', [{}, 'x', { get: 3 }], /not the field x/],
  ])('%s is refused', (_, args, message) => {
    expect(() => (noGrad as (...args: unknown[]) => unknown)(...args)).toThrow(message);
  });
});

describe('D. classes', () => {
  it('this, arguments and result pass through; static methods too', () => {
    class A {
      x = 2;
      @noGrad m(a: number, ...rest: number[]) {
        return [this.x, a, rest, isGradEnabled()];
      }
      @noGrad static s(this: typeof A) {
        return [this === A, isGradEnabled()];
      }
    }
    expect(new A().m(1, 2, 3)).toEqual([2, 1, [2, 3], false]);
    expect(A.s()).toEqual([true, false]);
  });

  it('private methods work', () => {
    class A {
      @noGrad #m() {
        return isGradEnabled();
      }
      m() {
        return this.#m();
      }
    }
    expect(new A().m()).toBe(false);
    expect(gradPolicies(A)).toMatchObject([{ member: '#m', kind: 'method' }]);
  });

  it('getters and setters run guarded and stay what they are', () => {
    const seen: boolean[] = [];
    class A {
      @noGrad get g() {
        return isGradEnabled();
      }
      @noGrad set s(_: number) {
        seen.push(isGradEnabled());
      }
    }
    const a = new A();
    expect(a.g).toBe(false);
    a.s = 1;
    expect(seen).toEqual([false]);
    expect(typeof Object.getOwnPropertyDescriptor(A.prototype, 'g')!.get).toBe('function');
  });

  it('both halves of an accessor are guarded', () => {
    class A {
      @noGrad accessor value = 1;
    }
    const a = new A();
    a.value = 5;
    expect(a.value).toBe(5);
    expect(gradPolicies(A)).toMatchObject([{ member: 'value', kind: 'accessor' }]);
  });

  it('computed names and symbols work', () => {
    const name = 'dynamic';
    class A {
      @noGrad [name]() {
        return isGradEnabled();
      }
      @noGrad *[Symbol.iterator]() {
        yield isGradEnabled();
      }
    }
    expect(new A()[name]()).toBe(false);
    expect([...new A()]).toEqual([false]);
  });

  it('overrides are guarded as they declare; super is guarded for its duration', () => {
    const seen: boolean[] = [];
    class Base {
      on = true;
      @noGrad m() {
        seen.push(isGradEnabled());
      }
      @noGrad(function (this: Base) {
        return this.on;
      })
      inherited() {
        return isGradEnabled();
      }
      @noGrad both() {
        return isGradEnabled();
      }
    }
    class Plain extends Base {
      override m() {
        seen.push(isGradEnabled());
        super.m();
        seen.push(isGradEnabled());
      }
      @enableGrad override both() {
        return isGradEnabled() && !super.both() && isGradEnabled();
      }
    }
    const p = new Plain();
    p.m();
    expect(seen).toEqual([true, false, true]);
    expect(p.inherited()).toBe(false);
    p.on = false;
    expect(p.inherited()).toBe(true);
    expect(noGrad.run(() => p.both())).toBe(true);
  });

  it('a method taken off its object works with call; it is not enumerable', () => {
    class A {
      x = 1;
      @noGrad m() {
        return [this.x, isGradEnabled()];
      }
    }
    const { m } = A.prototype;
    expect(m.call({ x: 7 } as A)).toEqual([7, false]);
    expect(Object.getOwnPropertyDescriptor(A.prototype, 'm')!.enumerable).toBe(false);
  });

  it('two instances with different flags, interleaved, each follow their own', () => {
    class A {
      constructor(
        readonly frozen: boolean,
        readonly other?: A,
      ) {}
      @noGrad(function (this: A) {
        return this.frozen;
      })
      m(): boolean[] {
        return [isGradEnabled(), ...(this.other?.m() ?? []), isGradEnabled()];
      }
    }
    expect(new A(false, new A(true)).m()).toEqual([true, false, false, true]);
  });

  it('works through mixins and several levels of inheritance', () => {
    type Class<T> = new (...args: any[]) => T;
    const Scored = <T extends Class<object>>(Base: T) =>
      class extends Base {
        @noGrad score() {
          return isGradEnabled();
        }
      };
    class A extends Scored(Object) {}
    class B extends A {}
    expect(new B().score()).toBe(false);
  });
});

describe('E. metadata', () => {
  class A {
    @noGrad named(_a: number, _b: string) {
      return new Error('trace').stack!;
    }
    @noGrad async later() {}
  }

  it('name and length are kept', () => {
    expect([A.prototype.named.name, A.prototype.named.length]).toEqual(['named', 2]);
  });

  it('a guarded async method still gives a promise', () => {
    expect(new A().later()).toBeInstanceOf(Promise);
  });

  it('a guard adds one stack frame, named as the method', () => {
    const guarded = new A().named(1, '').split('\n').slice(1);
    const plain = original(A.prototype.named).call(new A(), 1, '').split('\n').slice(1);
    const depth = (lines: string[]) => lines.findIndex((l) => /decorators\.test/.test(l) && !/named/.test(l));
    expect(depth(guarded) - depth(plain)).toBe(1);
    expect(guarded[1]).toMatch(/named/);
  });

  it('the original can be reached, without its guards', () => {
    class B {
      @noGrad @noGrad m() {
        return isGradEnabled();
      }
    }
    expect(original(B.prototype.m)()).toBe(true);
    expect(original(original)).toBe(original);
  });

  it('gradPolicies lists what is declared, inherited ones included, and leaves out what is overridden', () => {
    const when = () => true;
    class Base {
      @noGrad a() {}
      @noGrad(when) b() {}
      @noGrad static c() {}
      @noGrad get d() {
        return 1;
      }
    }
    class Sub extends Base {
      override a() {}
      @enableGrad override b() {}
    }
    expect(gradPolicies(Base)).toMatchObject(
      [
        { member: 'c', kind: 'method', static: true, gate: 'noGrad', condition: null, declaredIn: 'Base' },
        { member: 'a', kind: 'method', static: false },
        { member: 'b', condition: when },
        { member: 'd', kind: 'getter' },
      ]
        .sort(() => 0)
        .map((p) => expect.objectContaining(p)) as never,
    );
    expect(
      gradPolicies(Sub)
        .map((p) => `${p.declaredIn}.${String(p.member)} ${p.gate}`)
        .sort(),
    ).toEqual(['Base.c noGrad', 'Base.d noGrad', 'Sub.b enableGrad']);
    expect(gradPolicies(class {})).toEqual([]);
    expect(() => gradPolicies(3 as never)).toThrow(TypeError);
  });
});

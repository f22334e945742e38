import 'reflect-metadata';
import { bindGradMode, defineMode, enableGrad, isGradEnabled, noGrad, original } from '@gradgate/core';
import {
  action,
  computed,
  isAction,
  isComputedProp,
  isFlow,
  makeAutoObservable,
  flow as mobxFlow,
  observable,
} from 'mobx';
import { describe, expect, it, vi } from 'vitest';

const key = Symbol('own');
const evalMode = defineMode('test.wrappers', true).gate('evalMode', false);
const wrappers: [name: string, wrap: <F extends (...args: any[]) => any>(fn: F) => F][] = [
  ['wrap', (fn) => noGrad.wrap(fn)],
  ['wrap with a condition', (fn) => noGrad(() => true).wrap(fn)],
  ['wrap of another mode', (fn) => evalMode.wrap(fn)],
  ['bindGradMode', (fn) => bindGradMode(fn)],
  ['async', (fn) => noGrad.async(fn as never) as never],
  ['two gates', (fn) => enableGrad.wrap(noGrad.wrap(fn))],
  ['a method', (fn) => Reflect.get(decorated(fn), 'm') as never],
  ['a getter', (fn) => Object.getOwnPropertyDescriptor(decorated(fn), 'g')!.get as never],
];
/** What decorators of the standard dialect make of a method and a getter that other decorators put there. */
function decorated(fn: (...args: any[]) => any): object {
  const put = (_value: unknown, _context: DecoratorContext) => fn as never;
  class A {
    @noGrad @put m() {}
    @noGrad @put get g() {
      return 1;
    }
  }
  return A.prototype;
}

describe.each(wrappers)('what wraps a function is like it: %s', (_, wrap) => {
  function fn(_a: number, _b: string) {}
  Object.assign(fn, { path: 'x', [key]: 1 });
  Object.defineProperty(fn, 'hidden', { value: 2, enumerable: false, writable: false, configurable: false });
  Object.defineProperty(fn, 'computed', { get: () => 3, enumerable: true, configurable: true });
  Reflect.defineMetadata('guards', ['deny'], fn);
  const wrapped = wrap(fn);

  it('name, length, own property descriptors and metadata', () => {
    expect([wrapped.name, wrapped.length]).toEqual(['fn', 2]);
    for (const name of ['path', key, 'hidden', 'computed', 'name', 'length'])
      expect(Object.getOwnPropertyDescriptor(wrapped, name)).toEqual(Object.getOwnPropertyDescriptor(fn, name));
    expect(Object.keys(wrapped)).toEqual(Object.keys(fn));
    expect(Reflect.getOwnMetadata('guards', wrapped)).toEqual(['deny']);
    expect(Reflect.getMetadata('guards', wrapped)).toEqual(['deny']);
  });

  it('is a function of its own: what is put on it is not on the original', () => {
    Reflect.defineMetadata('later', 1, wrapped);
    Object.assign(wrapped, { later: 1 });
    expect([Reflect.hasMetadata('later', fn), 'later' in fn]).toEqual([false, false]);
    expect(wrapped).not.toBe(fn);
    expect(wrapped).toBeInstanceOf(Function);
  });
});

describe('what wraps a function', () => {
  it('inherits what is added to the original later', () => {
    const fn = () => {};
    const wrapped = enableGrad.wrap(noGrad.wrap(fn));
    Reflect.defineMetadata('roles', ['admin'], fn);
    Object.assign(fn, { path: 'x' });
    expect(Reflect.getMetadata('roles', wrapped)).toEqual(['admin']);
    expect((wrapped as never as { path: string }).path).toBe('x');
  });

  it('is of the same kind, for those who ask', () => {
    const kind = (fn: object) => [Object.prototype.toString.call(fn), fn.constructor.name];
    for (const fn of [function* () {}, async () => {}, async function* () {}, () => {}])
      expect(kind(noGrad.wrap(fn as () => unknown))).toEqual(kind(fn));
  });

  it('constructs what a constructor function of old does', () => {
    function Point(this: { x: number; grad: boolean }, x: number) {
      this.x = x;
      this.grad = isGradEnabled();
    }
    Point.prototype.double = function () {
      return this.x * 2;
    };
    const Wrapped = noGrad.wrap(Point) as never as new (x: number) => { x: number; grad: boolean; double(): number };
    const p = new Wrapped(4);
    expect([p.double(), p.grad, p instanceof Wrapped, p instanceof (Point as never)]).toEqual([8, false, true, true]);
    class Sub extends Wrapped {}
    expect([new Sub(3).double(), new Sub(3).grad]).toEqual([6, false]);
  });

  it('refuses a class, whose methods are to be guarded', () => {
    class Model {}
    expect(() => noGrad.wrap(Model as never)).toThrow(
      /noGrad\.wrap: takes a function, not the class Model: guard its methods/,
    );
    expect(() => noGrad.run(Model as never)).toThrow(/not the class Model/);
  });

  it('works on a spy, and spies work on it', () => {
    const spy = vi.fn(() => isGradEnabled());
    expect(noGrad.wrap(spy)()).toBe(false);
    expect(spy).toHaveBeenCalledOnce();
    const holder = { m: noGrad.wrap(() => isGradEnabled()) };
    const on = vi.spyOn(holder, 'm');
    expect(holder.m()).toBe(false);
    expect(on).toHaveBeenCalledOnce();
  });
});

describe('MobX', () => {
  it('standard decorators in both orders', () => {
    class Store {
      @observable accessor loss = 1;
      @action @noGrad over(value: number) {
        this.loss = value;
        return isGradEnabled();
      }
      @noGrad @action under(value: number) {
        this.loss = value;
        return isGradEnabled();
      }
      @noGrad @computed get half() {
        return isGradEnabled() ? -1 : this.loss / 2;
      }
    }
    const store = new Store();
    expect([store.over(4), store.half, store.under(6), store.half]).toEqual([false, 2, false, 3]);
    expect([isAction(store.over), isAction(store.under), isComputedProp(store, 'half')]).toEqual([true, true, true]);
  });

  it('observables that are made of guarded methods and flows', async () => {
    class Store {
      loss = 1;
      constructor() {
        makeAutoObservable(this);
      }
      @noGrad set(value: number) {
        this.loss = value;
        return isGradEnabled();
      }
      @noGrad *load(): Generator<Promise<number>, boolean, number> {
        this.loss = yield Promise.resolve(7);
        return isGradEnabled();
      }
    }
    const store = new Store();
    expect(store.set(3)).toBe(false);
    expect([isAction(store.set), isFlow(store.load)]).toEqual([true, true]);
    expect(await (store.load() as never as Promise<boolean>)).toBe(false);
    expect(store.loss).toBe(7);
    const guarded = noGrad.wrap(
      mobxFlow(function* () {
        yield null;
        return isGradEnabled();
      }),
    );
    const pending = guarded();
    expect(typeof pending.cancel).toBe('function');
    expect(await pending).toBe(false);
  });
});

it('the original is found through what other decorators add', () => {
  const fn = () => isGradEnabled();
  expect(original(enableGrad.wrap(noGrad.wrap(fn)))).toBe(fn);
});

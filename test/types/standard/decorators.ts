// Checked by the compiler, in the standard dialect; `legacy/` has the same for the other one. Nothing here is run.
import { type Condition, enableGrad, gradMode, inferenceMode, noGrad } from '@gradgate/core';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};

declare function overloaded(x: number): number;
declare function overloaded(x: string, y?: boolean): string;
declare function generic<T extends object>(this: Date, first: T, ...rest: readonly T[]): Promise<T>;
declare function steps(n: number): Generator<number, string, boolean>;

// E3 wrapping keeps overloads, generics, `this`, optional and rest parameters.
export const a = noGrad.wrap(overloaded);
same<typeof a, typeof overloaded>(true);
export const b = enableGrad(() => true).wrap(generic);
same<typeof b, typeof generic>(true);
export const c = inferenceMode.wrap(steps);
same<ReturnType<typeof c>, Generator<number, string, boolean>>(true);
same<ReturnType<typeof d>, Promise<boolean>>(true);
export const d = noGrad.async(function* (this: Date, x: number): Generator<Promise<number>, boolean, number> {
  return (yield Promise.resolve(x)) > this.getTime();
});
same<Parameters<typeof d>, [x: number]>(true);
export const e: number = noGrad.run(() => 1);

export class Members {
  @noGrad method(x: number, ...rest: string[]): string {
    return `${x}${rest}`;
  }
  @noGrad() generic<T>(x: T): T {
    return x;
  }
  @noGrad(() => true) async later(): Promise<number> {
    return 1;
  }
  @noGrad(function (this: Members, x: number) {
    return this.method(x) === '';
  })
  conditional(x: number): number {
    return x;
  }
  @gradMode(() => true) *steps(): Generator<number> {
    yield 1;
  }
  @noGrad static shared(): void {}
  @noGrad #hidden(): boolean {
    return true;
  }
  @noGrad get value(): number {
    return this.#hidden() ? 1 : 0;
  }
  @noGrad set value(_: number) {}
  @noGrad accessor field = 1;
}
same<ReturnType<Members['later']>, Promise<number>>(true);

// What is refused.
export class Refused {
  // @ts-expect-error C17 a field is not a method
  @noGrad field = 1;
  // @ts-expect-error C11 a flag is read once, when the class is defined
  @noGrad(true) flag(): void {}
  // @ts-expect-error C11 the same for gradMode
  @gradMode(false) mode(): void {}
  // @ts-expect-error C10 an async condition
  @noGrad(async () => true) later(): void {}
  // @ts-expect-error C10 a condition that gives a number
  @noGrad(() => 1) number(): void {}
}
// @ts-expect-error C16 a class
@noGrad
export class RefusedClass {}
// @ts-expect-error a gate takes no string
noGrad('x');
// @ts-expect-error run takes a function
noGrad.run(1);
export const condition: Condition = () => true;

// A condition has to fit what it decorates.
export class Fitting {
  frozen = false;
  @noGrad(() => true) any(_x: number, ..._rest: string[]): void {}
  @noGrad((x: number) => x > 1) fewer(_x: number, _y: string): void {}
  @noGrad(function (this: Fitting) {
    return this.frozen;
  })
  own(): void {}
  @noGrad((x) => x === 1) contextual(_x: number): void {}
  @enableGrad(() => true) get value(): number {
    return 1;
  }
  @noGrad(() => true) static shared(): void {}
  // @ts-expect-error the parameter is a text
  @noGrad((x: number) => x > 1) otherParameter(_x: string): void {}
  // @ts-expect-error there is one parameter
  @noGrad((x: number, y: number) => x > y) fewerParameters(_x: number): void {}
  // @ts-expect-error `this` is no Date
  @noGrad(function (this: Date) {
    return this.getTime() > 1;
  })
  otherThis(): void {}
  // @ts-expect-error the same for gradMode
  @gradMode((x: number) => x > 1) mode(_x: string): void {}
  // @ts-expect-error and for static members
  @noGrad(function (this: Fitting) {
    return this.frozen;
  })
  static otherStatic(): void {}
  // @ts-expect-error and for getters
  @noGrad((x: number) => x > 1) get other(): number {
    return 1;
  }
}

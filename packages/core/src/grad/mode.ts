import { callSite, describeFrame } from './diagnostics.js';
import type { Ending } from './ending.js';
import { changeMode, currentFrame, currentSettings, noteSettings } from './flow.js';
import type { Frame, Setting, Settings } from './frame.js';
import { checkName, type Gate, makeGate } from './gate.js';

/** The call that a gate is at: what `gateWith` computes its value from. */
export interface GateCall<T> {
  /** The mode's value around the gate. */
  readonly outer: T;
  /** `this` and the arguments of the guarded function; undefined and none for `run` and `enter`. */
  readonly self: unknown;
  readonly args: readonly unknown[];
}

/** A mode of the program that follows the flow of control, as grad modes do. */
export interface Mode<T> {
  readonly name: string;
  /** The gate that sets it here, with the method that it guards and, in development mode, its place; null if none does. */
  readonly setBy: Pick<Frame, 'kind' | 'member' | 'opener'> | null;
  /** The value in force in this flow: that of the innermost gate which sets it, or else the initial one. */
  get(): T;
  /** Changes the value for the rest of the innermost gate or scope of this flow, and returns what it was. */
  set(value: T): T;
  /** A gate in which the mode has this value: for `@name`, `@name(condition)`, `name.run`, `name.wrap` and `using name.enter()`. */
  gate(name: string, value: T): Gate;
  /**
   * Gates that are given something: `gateWith('freezing', ({ outer }, what: Module) => [...outer, what])` makes
   * `freezing(module)`, a gate as `gate` makes it. The value is computed at each call, in the caller's mode and after the
   * condition, and once for a generator. `ending` makes of the value, and of who set it, what is told when the call ends, and of what it returns:
   * of a promise when that settles, of a generator at each step. It is told before anybody else gets to see these.
   */
  gateWith<Given extends unknown[]>(
    name: string,
    value: (call: GateCall<T>, ...given: Given) => T,
    ending?: (value: T, setBy: NonNullable<Mode<T>['setBy']>) => Ending,
  ): (...given: Given) => Gate;
  /** Says what the value is here, and who set it where, for error messages and reports. */
  explain(): string;
}

/**
 * Defines a mode: a value that gates set for the code inside of them, through promises, timers and generators, and for
 * nobody else. As long as no gate sets one, `get()` costs what reading a field does.
 *
 * @param name Names the mode in reports and among copies of a package, which share it: put your package's name before it.
 * @param initial The value outside of all gates.
 *
 * ```ts
 * const training = defineMode<boolean | null>('my-package.training', null);
 * const evaluation = training.gate('evaluation', false);
 * class Net {
 *   @evaluation score() {
 *     return training.get();
 *   }
 * }
 * new Net().score(); // false
 * training.get(); // null
 * ```
 */
export function defineMode<T>(name: string, initial: T): Mode<T> {
  checkName('defineMode', name);
  const valueIn = (settings: Settings | null): T => {
    const setting = settings === null ? undefined : settings.get(name);
    return setting === undefined ? initial : (setting.value as T);
  };
  const setBy = (frame: Frame, value: T): Settings => {
    const { kind, member, opener } = frame;
    return new Map(frame.settings).set(name, { value, gate: kind, member, opener });
  };
  return {
    name,
    get setBy() {
      const setting = currentSettings()?.get(name);
      return setting === undefined ? null : { kind: setting.gate, member: setting.member, opener: setting.opener };
    },
    get: () => valueIn(currentSettings()),
    set(value) {
      const frame = currentFrame();
      const before = valueIn(frame.settings);
      noteSettings();
      const setting: Setting = { value, gate: `${name}.set`, member: null, opener: callSite() };
      changeMode(frame.enabled, new Map(frame.settings).set(name, setting));
      return before;
    },
    gate(gateName, value) {
      checkName(`${name}.gate`, gateName);
      return makeGate(gateName, { enabled: null, inference: false, set: (frame) => setBy(frame, value), ending: null });
    },
    gateWith(gateName, value, ending) {
      checkName(`${name}.gateWith`, gateName);
      if (typeof value !== 'function')
        throw new TypeError(
          `${name}.gateWith: the second argument computes the value, a function; got ${typeof value}`,
        );
      return (...given) =>
        makeGate(gateName, {
          enabled: null,
          inference: false,
          set: (frame, self, args) => setBy(frame, value({ outer: valueIn(frame.settings), self, args }, ...given)),
          ending: ending === undefined ? null : (frame) => ending(valueIn(frame.settings), frame),
        });
    },
    explain() {
      const { setBy } = this;
      if (setBy === null) return `${name} is ${inWords(initial)}: no gate sets it here`;
      return `${name} is ${inWords(this.get())}, set by ${describeFrame(setBy)}`;
    },
  };
}

function inWords(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value); // It has no text of its own.
  }
}

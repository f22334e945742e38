import { callSite, describeFrame } from './diagnostics.js';
import type { Ending } from './ending.js';
import { changeMode, currentFrame, currentSettings, noteSettings } from './flow.js';
import type { Frame, Setting, Settings } from './frame.js';
import { checkName, type Gate, makeGate } from './gate.js';

/** The guarded call, from which `gateWith` computes its value. */
export interface GateCall<T> {
  /** The mode's value around the gate. */
  readonly outer: T;
  /** `this` and the arguments of the guarded function; undefined and none for `run` and `enter`. */
  readonly self: unknown;
  /** The arguments of the call. */
  readonly args: readonly unknown[];
}

/** A mode of the program; follows the flow of control, as grad modes do. */
export interface Mode<T> {
  /** The name of the mode. */
  readonly name: string;
  /** The gate that sets it here, with the guarded method and, in development mode, the place; null if there is none. */
  readonly setBy: Pick<Frame, 'kind' | 'member' | 'opener'> | null;
  /** The value in force in this flow: that of the innermost gate which sets it, else the initial one. */
  get(): T;
  /** Changes the value for the rest of the innermost gate or scope of this flow, and returns the old one. */
  set(value: T): T;
  /**
   * A gate in which the mode has this value: for `@name`, `@name(condition)`, `name.run`, `name.wrap` and
   * `using name.enter()`.
   */
  gate(name: string, value: T): Gate;
  /**
   * Makes gates that take arguments: `gateWith('freezing', ({ outer }, what: Module) => [...outer, what])` makes
   * `freezing(module)`, a gate as `gate` makes it. The value is computed at each call, in the caller's mode and after
   * the condition, and once for a generator. `ending` gets the value and who set it, and returns what is to be done
   * when the call ends and with what it returns: for a promise when it settles, for a generator at each step. It runs
   * before anybody else sees these values.
   */
  gateWith<Given extends unknown[]>(
    name: string,
    value: (call: GateCall<T>, ...given: Given) => T,
    ending?: (value: T, setBy: NonNullable<Mode<T>['setBy']>) => Ending,
  ): (...given: Given) => Gate;
  /** Says what the value is here and who set it where, for errors and reports. */
  explain(): string;
}

/**
 * Defines a mode: a value that gates set for the code inside of them, through promises, timers and generators, and for
 * no other code. While no gate sets one, `get()` costs a field read.
 *
 * @param name The name in reports. Copies of a package share the mode by it, so begin it with your package's name.
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

import { type Ending, endStep } from './ending.js';
import { callIn, currentFrame } from './flow.js';
import { copyOf, type Frame } from './frame.js';
import type { OpenScope } from './scope.js';

type AnyFunction = (...args: any[]) => any;

/** The body of a guarded generator, iterator or coroutine: its mode, and what it keeps between steps. */
export class Body {
  /** The scopes that it has open, innermost last. */
  readonly held: OpenScope[] = [];
  /** The endings of its gates, innermost first: told of what it yields and when it ends. */
  readonly endings: Ending[] = [];
  private step: Step | null = null;
  /** Steps that were requested while one runs. */
  private readonly waiting: (() => void)[] = [];

  constructor(
    /** The frame of its steps; null where a condition left the consumer's mode in force. */
    public base: Frame | null,
    readonly isAsync: boolean,
  ) {}

  /** Calls a method that runs the body to its next yield. */
  run(method: AnyFunction, self: unknown, args: readonly unknown[]): unknown {
    const host = this.begin();
    let result: unknown;
    try {
      result = callIn(host, method, self, args);
    } catch (error) {
      this.end(host);
      this.fail();
      throw error;
    }
    const then: unknown = this.isAsync ? (result as Partial<PromiseLike<unknown>> | null)?.then : undefined;
    if (typeof then !== 'function') {
      this.end(host);
      for (const ending of this.endings) endStep(ending, result);
      return result;
    }
    return Reflect.apply(then, result, [
      (value: unknown) => {
        this.end(host);
        for (const ending of this.endings) endStep(ending, value);
        return value;
      },
      (error: unknown) => {
        this.end(host);
        this.fail();
        throw error;
      },
    ]);
  }

  private fail(): void {
    for (const ending of this.endings) ending.end();
  }

  /** The same for an async generator, one step after another as in its own queue; some engines lose the flow there. */
  runInTurn(method: AnyFunction, self: unknown, args: readonly unknown[]): unknown {
    if (!this.step?.isRunning) return this.run(method, self, args);
    const caller = copyOf(currentFrame());
    return new Promise((resolve) => {
      this.waiting.push(() => resolve(callIn(caller, () => this.run(method, self, args), undefined, [])));
    });
  }

  /**
   * The frame of a step. A scope on it is visible only while the step runs, and a later step gets the scope on a new
   * frame, unless no other code can run during a step: flows that the body started must not see what it holds, nor it
   * what they hold.
   */
  private begin(): Frame {
    if (this.step?.isRunning) {
      this.step.running++;
      return this.step.host;
    }
    const { base } = this;
    const host = base?.scope === null && !this.isAsync ? base : copyOf(base ?? currentFrame());
    this.step = host.step = new Step(this, host);
    for (const scope of this.held) {
      scope.host = host;
      scope.frame.scope = host.scope;
      scope.frame.ended = null;
      host.scope = scope.frame;
    }
    return host;
  }

  private end(host: Frame): void {
    if (--host.step!.running > 0) return;
    for (const scope of this.held) scope.host.scope = null;
    this.waiting.shift()?.();
  }
}

/** One step of a body. */
export class Step {
  /** Counted, since a body can request its own next step, which the engine refuses. */
  running = 1;
  constructor(
    readonly body: Body,
    readonly host: Frame,
  ) {}
  get isRunning(): boolean {
    return this.running > 0;
  }
}

/**
 * Random programs of gates of all modes, in both dialects, with scopes, generators, coroutines, async functions, timers,
 * `setGradEnabled` and calls of modules with other weights. Each program is run, and at many points its modes are compared with
 * the expected ones, which are computed along the way without gates.
 */
import type { DecoratorGate, Guards, Generator as RandomGenerator } from '@gradgate/core';
import fc from 'fast-check';
import { type Api, type GateName, gateNames, type Mode, Modes } from './modes.js';

/** A sequence of steps: the mode of its gate, and those of the scopes open in it. */
class Flow {
  scopes: Mode[] = [];
  /** Whether it has a mode of its own. A body whose gate's condition was false has the mode of whoever asks for its next step. */
  fixed = true;
  constructor(public gate: Mode) {}
  get mode(): Mode {
    return this.scopes.at(-1) ?? this.gate;
  }
  set mode(mode: Mode) {
    if (this.scopes.length > 0) this.scopes[this.scopes.length - 1] = mode;
    else {
      this.gate = mode;
      this.fixed = true;
    }
  }
  /** What is started now does not see scopes. */
  start(): Flow {
    return new Flow(this.gate);
  }
}

const forms = ['run', 'wrap', 'standard', 'legacy'] as const;
const waits = ['tick', 'microtask', 'immediate', 'timeout', 'nextTick'] as const;

/** A use of a gate; `when` is the value of its condition, if it has one. */
interface Use {
  gate: GateName;
  when: boolean | null;
  form: (typeof forms)[number];
}

type Statement =
  | { do: 'look' }
  | { do: 'set'; enabled: boolean }
  | { do: 'level'; level: number }
  | { do: 'call'; use: Use; body: Statement[]; throws: boolean }
  | { do: 'scope'; gate: Exclude<GateName, 'weights'>; when: boolean; body: Statement[] }
  | { do: 'bind'; body: Statement[]; use: Use }
  | { do: 'timer'; wait: (typeof waits)[number]; body: Statement[] }
  | { do: 'async'; use: Use | null; body: Statement[]; awaited: boolean }
  | { do: 'all'; bodies: Statement[][] }
  | { do: 'coroutine'; use: Use; body: Statement[]; awaited: boolean }
  | { do: 'generator'; use: Use | null; body: Statement[]; between: Statement[]; stopAfter: number; leaves: boolean }
  | { do: 'step'; which: number }
  | { do: 'asyncGenerator'; use: Use; body: Statement[]; between: Statement[]; inFlight: boolean }
  | { do: 'pause'; wait: (typeof waits)[number] };

/** What a body may contain. */
interface Where {
  /** Its pauses: awaits of an async function, yields of a generator, both in an async generator. */
  readonly pauses: 'none' | 'await' | 'yield' | 'both';
  readonly starts: boolean;
  readonly sets: boolean;
  /** Scopes may stay open over a pause. */
  readonly holds: boolean;
  /** In the body of an async generator, to which a flow that it started may later give another mode. */
  readonly shared: boolean;
  /** Only what is covered without AsyncLocalStorage. */
  readonly plain: boolean;
}

function statements(where: Where, depth: number): fc.Arbitrary<Statement[]> {
  const use = fc.record({
    gate: fc.constantFrom(...gateNames),
    when: fc.constantFrom(null, null, true, false),
    form: fc.constantFrom(...forms),
  });
  // The call of a module has one form, and no condition.
  const weights = fc.constant({ gate: 'weights', when: null, form: 'run' });
  const call = fc.oneof({ arbitrary: use, weight: 12 }, { arbitrary: weights, weight: 1 });
  const options: fc.Arbitrary<Statement>[] = [fc.constant({ do: 'look' })];
  const add = <T extends Statement['do']>(name: T, fields: Record<string, fc.Arbitrary<unknown>>) =>
    options.push(fc.record({ do: fc.constant(name), ...fields }) as never);
  const wait = fc.constantFrom(...waits);
  add('step', { which: fc.integer({ min: -3, max: -1 }) });
  if (where.sets) {
    add('set', { enabled: fc.boolean() });
    add('level', { level: fc.nat(3) });
  }
  if (where.pauses !== 'none') add('pause', { wait });
  if (depth > 0) {
    const inner = (change: Partial<Where>) => statements({ ...where, ...change }, depth - 1);
    const sync = { pauses: 'none', holds: false } as const;
    add('call', { use: call, body: inner({ ...sync, sets: true }), throws: fc.boolean() });
    const gate = fc.constantFrom(...gateNames);
    const when = fc.constantFrom(true, true, false);
    if (where.holds) add('scope', { gate, when, body: inner({ starts: where.starts && where.pauses !== 'both' }) });
    else add('scope', { gate, when, body: inner(sync) });
    add('bind', { body: inner({ ...sync, sets: true }), use: call });
    // A generator without a gate has the mode of its consumer, so it may do what its consumer may.
    for (const [gated, sets] of [
      [call, true],
      [fc.constant(null), where.sets],
    ] as const)
      add('generator', {
        use: gated,
        body: inner({ pauses: 'yield', holds: true, sets }),
        between: inner(sync),
        stopAfter: fc.integer({ min: 1, max: 6 }),
        leaves: fc.boolean(),
      });
    const awaits = where.pauses === 'await' || where.pauses === 'both';
    if (where.starts) {
      const sets = where.sets && !where.shared;
      add('coroutine', {
        use,
        body: inner({ pauses: 'yield', holds: true, sets: true }),
        awaited: fc.constant(awaits),
      });
      if (!where.plain) {
        add('timer', { wait, body: inner({ ...sync, sets }) });
        add('async', {
          use: fc.option(call, { nil: null }),
          body: inner({ pauses: 'await', holds: false, sets }),
          awaited: awaits ? fc.boolean() : fc.constant(false),
        });
        if (awaits) {
          const body = inner({ pauses: 'await', holds: false, sets });
          add('all', { bodies: fc.array(body, { minLength: 2, maxLength: 3 }) });
          add('asyncGenerator', {
            use: call,
            body: inner({ pauses: 'both', holds: true, sets: true, shared: true }),
            between: inner({ ...sync, sets }),
            inFlight: fc.boolean(),
          });
        }
      }
    }
  }
  return fc.array(fc.oneof(...options), { minLength: 1, maxLength: depth > 2 ? 5 : 4 });
}

class Wrong extends Error {}
/** An error that a program throws on purpose. */
class Thrown extends Error {}

/** Runs one program; throws if a mode is not the expected one. */
export async function run(api: Api, program: Statement[], random: RandomGenerator): Promise<void> {
  const modes = new Modes(api, random);
  const { gates, level, initial } = modes;
  const pending: Promise<unknown>[] = [];
  /** A step of each guarded generator that is suspended, for others than its consumer, such as a flow that it started. */
  const suspended: ((asking: Flow) => void)[] = [];
  const faults: string[] = [];

  const look = (flow: Flow, what: string): void => {
    const difference = modes.difference(flow.mode);
    if (difference !== null) faults.push(`${what}: ${difference}; ${JSON.stringify(api.gradModeStack())}`);
  };
  const inside = modes.inside.bind(modes);
  const gateOf = (
    name: Exclude<GateName, 'weights'>,
    when: boolean | null,
    flow: () => Flow,
  ): DecoratorGate | Guards => {
    const condition = () => {
      look(flow(), 'condition');
      return when ?? true;
    };
    if (name === 'modeOn' || name === 'modeOff') {
      const on = name === 'modeOn';
      return api.gradMode(() => {
        condition();
        return on === (when ?? true);
      });
    }
    return when === null ? gates[name] : gates[name](condition);
  };
  /** `fn` behind a gate, in one of its forms. */
  const guarded = ({ gate: name, when, form }: Use, flow: () => Flow, fn: () => any): (() => any) => {
    if (name === 'weights') {
      const weight = flow().mode.weight + 1;
      return () => modes.callWithWeight(weight, fn);
    }
    const gate = gateOf(name, when, flow);
    if (form === 'run') return () => gate.run(fn);
    if (form === 'wrap') return gate.wrap(fn);
    const decorate = gate as unknown as (...args: unknown[]) => any;
    if (form === 'standard') return decorate(fn, { kind: 'method', name: 'm', static: false, private: false });
    const descriptor = { value: fn, configurable: true, writable: true };
    decorate({}, 'm', descriptor);
    return descriptor.value;
  };
  /** Whether a call was refused, as it must be in inference mode. */
  const refused = (call: () => void): boolean => {
    try {
      call();
      return false;
    } catch (error) {
      if (error instanceof api.GradModeError && /inferenceMode is in force/.test(error.message)) return true;
      throw error;
    }
  };
  /** Calls inside the gate of `use`, whose mode the flow has meanwhile. */
  const callIn = (use: Use, self: { flow: Flow }, fn: () => any): any => {
    const { flow } = self;
    const mode = inside(use.gate, use.when ?? true, flow.mode);
    const { gate, scopes, fixed } = flow;
    const holds = (use.when ?? true) || use.gate === 'modeOn' || use.gate === 'modeOff';
    const call = guarded(
      use,
      () => flow,
      () => {
        if (mode === null) throw new Wrong('the body ran');
        // Without a gate, what is started does not see the scopes either.
        if (holds) flow.gate = mode;
        flow.scopes = holds ? [] : [...scopes];
        return fn();
      },
    );
    let result: unknown;
    if (mode === null) {
      if (!refused(() => void call())) faults.push(`${use.gate} was not refused`);
      return undefined;
    }
    try {
      result = call();
    } finally {
      flow.gate = gate;
      flow.scopes = scopes;
      flow.fixed = fixed;
    }
    look(flow, `after ${use.gate}`);
    return result;
  };

  const sleep = (wait: (typeof waits)[number]): Promise<void> => new Promise((resolve) => later(wait, resolve));
  const later = (wait: (typeof waits)[number], fn: () => void): void => {
    if (wait === 'tick') void Promise.resolve().then(fn);
    else if (wait === 'microtask') queueMicrotask(fn);
    else if (wait === 'immediate') setImmediate(fn);
    else if (wait === 'nextTick') process.nextTick(fn);
    else setTimeout(fn, 0);
  };
  const track = (promise: Promise<unknown>): void => void pending.push(promise);

  /** Runs statements; each yield is a pause, which the caller turns into an await or a yield. */
  function* execute(body: Statement[], self: { flow: Flow }): Generator<(typeof waits)[number], void, unknown> {
    for (const s of body) {
      look(self.flow, `before ${s.do}`);
      if (s.do === 'pause') yield s.wait;
      else if (s.do === 'scope') yield* scope(s, self);
      else if ('awaited' in s && s.awaited) yield* awaited(simple(s, self));
      else if (s.do === 'all') yield* awaited(Promise.all(s.bodies.map((b) => asyncBody(b, self)())));
      else if (s.do === 'asyncGenerator') yield* awaited(asyncGenerator(s, self));
      else {
        const result = simple(s, self);
        if (result !== undefined) track(result);
      }
      look(self.flow, `after ${s.do}`);
    }
  }
  function* awaited(promise: any): Generator<any, void, unknown> {
    yield promise;
  }
  function* scope(s: Statement & { do: 'scope' }, self: { flow: Flow }): Generator<any, void, unknown> {
    const { flow } = self;
    const holds = s.when || s.gate === 'modeOn' || s.gate === 'modeOff';
    const mode = inside(s.gate, s.when, flow.mode);
    const gate = gateOf(s.gate, s.when, () => flow);
    if (mode === null) {
      if (!refused(() => void gate.enter())) faults.push(`${s.gate} was not refused`);
      return;
    }
    const handle = gate.enter();
    if (holds) flow.scopes.push(mode);
    try {
      yield* execute(s.body, self);
    } finally {
      handle[Symbol.dispose]();
      if (holds) self.flow.scopes.pop();
    }
  }
  /** Runs a body that does not pause. */
  const now = (body: Statement[], self: { flow: Flow }): void => {
    for (const _ of execute(body, self)) throw new Wrong('a pause');
  };
  const asyncBody = (body: Statement[], caller: { flow: Flow }) => async (): Promise<void> => {
    // Until its first await, an async function is in its caller's flow.
    const self = { flow: caller.flow };
    const steps = execute(body, self);
    for (let step = steps.next(); !step.done; step = steps.next()) {
      self.flow = self.flow.start();
      const pause: unknown = step.value;
      await (typeof pause === 'string' ? sleep(pause as (typeof waits)[number]) : pause);
    }
  };
  /** The flow of a body with steps of its own; without a gate, it is that of whoever asks for a step. */
  const bodyFlow = (use: Use, caller: Flow) => {
    const holds = (use.when ?? true) || use.gate === 'modeOn' || use.gate === 'modeOff';
    const flow = new Flow(inside(use.gate, use.when ?? true, caller.mode) ?? initial);
    flow.fixed = holds;
    return {
      flow,
      step: (asking: Flow) => {
        if (!flow.fixed) flow.gate = asking.mode;
      },
    };
  };

  const simple = (s: Statement, self: { flow: Flow }): Promise<unknown> | undefined => {
    const { flow } = self;
    switch (s.do) {
      case 'set': {
        const { mode } = flow;
        if (s.enabled && mode.inference) {
          if (!refused(() => void api.setGradEnabled(true))) faults.push('setGradEnabled was not refused');
          return;
        }
        if (api.setGradEnabled(s.enabled) !== mode.enabled) faults.push('setGradEnabled gave another mode');
        flow.mode = { ...mode, enabled: s.enabled };
        return;
      }
      case 'level':
        if (level.set(s.level) !== flow.mode.level) faults.push('set gave another level');
        flow.mode = { ...flow.mode, level: s.level };
        return;
      case 'call':
        try {
          callIn(s.use, self, () => {
            now(s.body, self);
            if (s.throws) throw new Thrown();
          });
        } catch (error) {
          if (!(error instanceof Thrown)) throw error;
        }
        return;
      case 'bind': {
        const bound = flow.mode;
        const inner = { flow: new Flow(bound) };
        const fn = api.bindGradMode(() => now(s.body, inner));
        callIn(s.use, self, fn);
        return;
      }
      case 'timer': {
        const inner = { flow: flow.start() };
        return new Promise<void>((resolve, reject) =>
          later(s.wait, () => {
            try {
              resolve(now(s.body, inner));
            } catch (error) {
              reject(error);
            }
          }),
        );
      }
      case 'async':
        return s.use === null ? asyncBody(s.body, self)() : callIn(s.use, self, asyncBody(s.body, self));
      case 'coroutine': {
        const mode = inside(s.use.gate, s.use.when ?? true, flow.mode);
        const inner = { flow: new Flow(mode ?? initial) };
        const gate = gateOf(s.use.gate as Exclude<GateName, 'weights'>, s.use.when, () => flow);
        const promise = gate.async(function* () {
          for (const pause of execute(s.body, inner)) yield typeof pause === 'string' ? sleep(pause) : pause;
        })();
        if (mode !== null) return promise;
        return promise.then(
          () => void faults.push(`${s.use.gate} was not refused`),
          () => {},
        );
      }
      case 'generator':
        return generator(s, self);
      case 'step':
        suspended.at(s.which)?.(flow);
        return;
      default:
        return;
    }
  };
  const generator = (s: Statement & { do: 'generator' }, self: { flow: Flow }): undefined => {
    const { use } = s;
    if (use !== null && inside(use.gate, use.when ?? true, self.flow.mode) === null) return;
    const body = use === null ? { flow: self.flow, step() {} } : bodyFlow(use, self.flow);
    // Without a gate, an open scope would be its consumer's.
    const statementsOf = use === null ? s.body.filter(({ do: d }) => d !== 'scope') : s.body;
    const make = function* () {
      for (const pause of execute(statementsOf, body)) yield pause;
    };
    const steps: Generator<unknown> = use === null ? make() : guarded(use, () => self.flow, make)();
    if (use !== null && steps[Symbol.iterator]() !== steps) faults.push('another iterator');
    let running = false;
    const step = (asking: Flow, method: 'next' | 'return' = 'next'): boolean | undefined => {
      if (running) return false;
      body.step(asking);
      running = true;
      try {
        return steps[method](undefined).done;
      } finally {
        running = false;
        look(asking, 'between steps');
      }
    };
    if (use !== null) suspended.push(step);
    for (let i = 0; ; i++) {
      // Others may go on with it.
      if (s.leaves && i === s.stopAfter) return;
      if (step(self.flow, i === s.stopAfter ? 'return' : 'next')) return;
      now(s.between, self);
    }
  };
  const asyncGenerator = async (s: Statement & { do: 'asyncGenerator' }, caller: { flow: Flow }): Promise<void> => {
    const self = { flow: caller.flow };
    const { use } = s;
    if (inside(use.gate, use.when ?? true, self.flow.mode) === null) return;
    const body = bodyFlow(use, self.flow);
    const make = async function* () {
      let i = 0;
      for (const pause of execute(s.body, body)) {
        if (typeof pause !== 'string') await pause;
        else if (i++ % 2 === 0) yield pause;
        else await sleep(pause);
      }
    };
    const steps: AsyncGenerator<unknown> = guarded(use, () => self.flow, make)();
    for (let done: boolean | undefined = false; !done; ) {
      body.step(self.flow);
      // Steps in flight were asked for by the same flow, so their modes are the same.
      const next = s.inFlight ? Promise.all([steps.next(), steps.next()]) : steps.next().then((r) => [r]);
      look(self.flow, 'while a step runs');
      self.flow = self.flow.start();
      done = (await next).at(-1)!.done;
      look(self.flow, 'between async steps');
      now(s.between, self);
    }
  };

  await null;
  const outermost = { flow: new Flow(initial) };
  await asyncBody(program, outermost)();
  for (let i = 0; i < pending.length; i++) await pending[i];
  if (faults.length > 0) throw new Error(`${faults.length} wrong, the first: ${faults[0]}`);
}

/** Checks `count` programs, a few at a time concurrently. Reports of scopes that were left open are failures too. */
export async function check(api: Api, { count, seed, depth = 4 }: { count: number; seed?: number; depth?: number }) {
  const reports: string[] = [];
  const before = api.setReporter((message) => reports.push(message));
  const plain = !api.followsAsync;
  const where: Where = {
    pauses: plain ? 'none' : 'await',
    starts: true,
    sets: !plain,
    holds: false,
    shared: false,
    plain,
  };
  const together = 4;
  api.manualSeed(1);
  const random = new api.Generator(1);
  let programs = 0;
  // Up to Node 23, promises that were pending when the first frame was pushed have no flow of their own.
  api.noGrad.run(() => {});
  await new Promise((resolve) => setTimeout(resolve, 0));
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(statements(where, depth), { minLength: 1, maxLength: together }), async (list) => {
        programs += list.length;
        await Promise.all(list.map((program) => run(api, program, random)));
        if (reports.length > 0) throw new Error(`reported: ${reports.splice(0).join(' ')}`);
        if (!api.isGradEnabled() || api.gradModeStack().length > 0) throw new Error('a mode was left behind');
      }),
      { numRuns: Math.ceil(count / ((together + 1) / 2)), seed, endOnFailure: false },
    );
  } finally {
    api.setReporter(before);
  }
  return programs;
}

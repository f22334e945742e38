import { Flow, follow, whenSettled } from './asyncFunction.js';
import { checkBody, type LoweredBody, stepsOf } from './loweredBody.js';

type Method = 'next' | 'throw' | 'return';

/** What the body of an async generator yields in order to await it, rather than to give it to the consumer. */
export class Wait {
  constructor(
    /** What is waited for. */
    readonly value: unknown,
    /** The answer of an iterator that the body delegates to. */
    readonly delegates: 0 | 1 = 0,
  ) {}
}

const asyncGeneratorPrototype: object = Object.getPrototypeOf(
  Object.getPrototypeOf((async function* () {})()) as object,
) as object;

/** An async generator. Each step runs in the flow of its caller, one after another. */
export function asyncGenerator(self: unknown, args: ArrayLike<unknown> | null, body: LoweredBody): object {
  checkBody('asyncGenerator', args, body);
  const steps = stepsOf('asyncGenerator', self, args, body);
  let last: Promise<unknown> | null = null;

  function ask(method: Method, value: unknown): Promise<unknown> {
    const flow = new Flow();
    const answer = new Promise((resolve, reject) => {
      const resume = (method: Method, value: unknown) => {
        try {
          const step = flow.run(() => steps[method](value));
          const fail = (error: unknown) => resume('throw', error);
          const given = step.value;
          if (given instanceof Wait) {
            const { delegates } = given;
            // What a return() awaits in a `finally` is an ordinary answer; only the answer of a delegate itself is
            // passed on.
            const how = method === 'return' && delegates ? 'return' : 'next';
            whenSettled(flow.wait(given.value), (answer) => resume(how, answer), fail);
          } else whenSettled(flow.wait(given), (v) => resolve({ value: v, done: step.done }), fail);
        } catch (error) {
          reject(error);
        }
      };
      const start = () => resume(method, value);
      if (last === null) start();
      else whenSettled(last, start, start);
    });
    const settled = whenSettled(answer, end, end);
    function end() {
      if (last === settled) last = null;
    }
    last = settled;
    return follow(answer);
  }

  const generator = Object.create(asyncGeneratorPrototype) as object;
  for (const method of ['next', 'throw', 'return'] as const)
    Object.defineProperty(generator, method, {
      value: (value: unknown) => ask(method, value),
      writable: true,
      configurable: true,
    });
  return follow(generator);
}

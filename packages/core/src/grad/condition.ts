import { isThenable } from './cover.js';

/** Called as the guarded method is, with its `this` and arguments; returns whether the gate holds for this call. */
export type Condition = (this: any, ...args: any[]) => boolean;

/** While set, answers in place of conditions: a recording, which notes the answers. */
export const asking = {
  hook: null as ((condition: Condition, self: unknown, args: readonly unknown[]) => unknown) | null,
};

/**
 * Small enough to be inlined, like everything on the path of a guarded call: the engine then need not collect the
 * arguments.
 */
export function ask(
  condition: Condition,
  gate: string,
  self: unknown,
  args: readonly unknown[],
  member: string | null,
): boolean {
  const answer: unknown =
    asking.hook === null ? Reflect.apply(condition, self, args) : asking.hook(condition, self, args);
  return typeof answer === 'boolean' ? answer : refuseAnswer(answer, gate, member);
}

function refuseAnswer(answer: unknown, gate: string, member: string | null): never {
  const of = `${gate}: the condition${member ? ` on ${member}` : ''}`;
  if (isThenable(answer)) {
    // The condition returned a promise, which is refused: its rejection must not become an unhandled one as well.
    answer.then(undefined, () => {});
    throw new TypeError(`${of} gave a promise; it must be synchronous, and give true or false`);
  }
  const got = answer === null ? 'null' : typeof answer === 'number' ? `number ${answer}` : typeof answer;
  throw new TypeError(`${of} must give true or false, got ${got}`);
}

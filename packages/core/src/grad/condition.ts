import { isThenable } from './cover.js';

/** Called as the guarded method is, with its `this` and arguments; says whether the gate holds for this call. */
export type Condition = (this: any, ...args: any[]) => boolean;

/** Who is to be asked in place of conditions, while set: a recording, which notes what they say. */
export const asking = {
  hook: null as ((condition: Condition, self: unknown, args: readonly unknown[]) => unknown) | null,
};

/** Small enough to be inlined, as is all on the way of a guarded call: then its arguments are never collected. */
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
    // The rejection of a promise that nobody may wait for is not another error.
    answer.then(undefined, () => {});
    throw new TypeError(`${of} gave a promise; it must be synchronous, and give true or false`);
  }
  const got = answer === null ? 'null' : typeof answer === 'number' ? `number ${answer}` : typeof answer;
  throw new TypeError(`${of} must give true or false, got ${got}`);
}

import type { Rule } from 'eslint';
import { gatesOf, type Node } from '../gates.js';

/** A promise is always truthy: a gate refuses it at run time, and the body does not run. */
export const noAsyncCondition: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'Disallow conditions of a gate that give a promise.' },
    messages: {
      async:
        'A condition must be synchronous: this one gives a promise, or an iterator, and the call will throw. Compute the answer before, and read it here.',
    },
    schema: [],
  },
  create(context) {
    const gates = gatesOf(context);
    return {
      CallExpression(node: unknown) {
        const call = node as Node;
        if (call.arguments.length === 0 || !gates.makesGate(call)) return;
        for (const argument of call.arguments)
          if (gates.givesPromise(argument)) context.report({ node: argument, messageId: 'async' });
      },
    } as Rule.RuleListener;
  },
};

import type { Rule } from 'eslint';
import { bare, gatesOf, type Node, propertyName } from '../gates.js';

/** Calls that show that a class trains. */
const trains = new Set(['backward', 'train', 'zeroGrad']);

/** `training` is a field of the module, which all flows share. */
export const preferEvalMode: Rule.RuleModule = {
  meta: {
    type: 'suggestion',
    docs: { description: 'Prefer `evalMode` to `eval()` in classes that train.' },
    messages: {
      shared:
        '`eval()` switches the module for everybody, also for the training of this class that may go on meanwhile. Use @evalMode, ' +
        'or @evaluating where no gradients are wanted either: they hold in this flow only.',
    },
    schema: [],
  },
  create(context) {
    const gates = gatesOf(context);
    const classes: { trains: boolean; evals: Node[] }[] = [];
    const exit = () => {
      const { trains, evals } = classes.pop()!;
      if (trains) for (const node of evals) context.report({ node: node as never, messageId: 'shared' });
    };
    return {
      ClassBody: () => classes.push({ trains: false, evals: [] }),
      'ClassBody:exit': exit,
      CallExpression(node: unknown) {
        const call = node as Node;
        const callee = bare(call.callee);
        const inClass = classes.at(-1);
        if (inClass === undefined || callee.type !== 'MemberExpression') return;
        const name = propertyName(callee) ?? '';
        if (trains.has(name)) inClass.trains = true;
        if (name === 'eval' && call.arguments.length === 0 && gates.mayBeModule(callee.object))
          inClass.evals.push(call);
      },
    } as Rule.RuleListener;
  },
};

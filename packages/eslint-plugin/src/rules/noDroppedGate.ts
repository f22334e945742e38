import type { Rule } from 'eslint';
import { bare, gatesOf, type Node } from '../gates.js';

/** A gate does nothing until it is run, entered or used as a decorator. */
export const noDroppedGate: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'Disallow gates that are built and dropped.' },
    messages: {
      gate: 'This gate is dropped, and guards nothing: use {{gate}}.run(() => ...), or `using _ = {{gate}}.enter()`.',
      guarded: 'What `{{method}}` gives is dropped: it guards the function that it returns, and calls nothing.',
    },
    schema: [],
  },
  create(context) {
    const gates = gatesOf(context);

    function check(node: Node): void {
      const isCall = node.type === 'CallExpression';
      if (!isCall && node.type !== 'Identifier' && node.type !== 'MemberExpression') return;
      const method =
        gates.methodOf(node)?.method ?? (isCall && gates.isImported(node.callee, 'bindGradMode') && 'bindGradMode');
      if (method === 'run' || method === 'enter') return;
      if (method) context.report({ node: node as never, messageId: 'guarded', data: { method } });
      else if (gates.isGate(node)) {
        const gate = context.sourceCode.getText((isCall ? node.callee : node) as never);
        context.report({ node: node as never, messageId: 'gate', data: { gate } });
      }
    }

    return {
      ExpressionStatement: (node: unknown) => dropped((node as Node).expression).forEach(check),
    } as Rule.RuleListener;
  },
};

/** The expressions of a statement whose values are discarded. */
function dropped(node: Node): Node[] {
  node = bare(node);
  if (node.type === 'SequenceExpression') return node.expressions.flatMap(dropped);
  if (node.type === 'LogicalExpression') return dropped(node.right);
  if (node.type === 'ConditionalExpression') return [...dropped(node.consequent), ...dropped(node.alternate)];
  return [node];
}

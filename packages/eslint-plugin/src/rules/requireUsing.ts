import type { Rule } from 'eslint';
import { bare, gatesOf, type Node, propertyName } from '../gates.js';

/** Without `using`, nothing ends the scope when an exception or a `return` leaves the block. */
export const requireUsing: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'Require that a scope of a gate is held by `using`.' },
    hasSuggestions: true,
    messages: {
      using:
        'Nothing ends this scope where the block is left: write `using _ = {{gate}}.enter()`, or {{gate}}.run(() => ...).',
      suggestion: 'Hold it by `using`.',
    },
    schema: [],
  },
  create(context) {
    const gates = gatesOf(context);
    return {
      CallExpression(call: unknown) {
        const method = gates.methodOf(call as Node);
        if (method?.method !== 'enter') return;
        let node = call as Node;
        while (bare(node.parent) !== node.parent || /^(Conditional|Logical)Expression$/.test(node.parent.type))
          node = node.parent;
        if (isHeld(node)) return;
        const statement = node.parent.type === 'VariableDeclarator' ? node.parent.parent : node.parent;
        const keyword = context.sourceCode.getFirstToken(statement as never);
        const fix = (fixer: Rule.RuleFixer): Rule.Fix | null => {
          if (statement.type === 'ExpressionStatement') return fixer.insertTextBefore(statement as never, 'using _ = ');
          return fixer.replaceText(keyword as never, 'using');
        };
        const fits =
          statement.type === 'ExpressionStatement' ||
          (statement.type === 'VariableDeclaration' &&
            statement.declarations.length === 1 &&
            node.parent.id.type === 'Identifier');
        context.report({
          node: call as never,
          messageId: 'using',
          data: method,
          suggest: fits ? [{ messageId: 'suggestion', fix }] : [],
        });
      },
    } as Rule.RuleListener;
  },
};

/** Ended by `using`, by a DisposableStack, or by whoever receives it. */
function isHeld(node: Node): boolean {
  const { parent } = node;
  if (parent.type === 'VariableDeclarator') return /using$/.test(parent.parent.kind);
  if (parent.type === 'ReturnStatement') return true;
  if (parent.type === 'ArrowFunctionExpression') return parent.body === node;
  const callee = parent.type === 'CallExpression' && parent.arguments.includes(node) ? bare(parent.callee) : null;
  return callee?.type === 'MemberExpression' && ['use', 'adopt'].includes(propertyName(callee) ?? '');
}

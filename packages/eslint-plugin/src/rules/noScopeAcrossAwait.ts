import type { Rule } from 'eslint';
import { gatesOf, isAlwaysGuarded, isFunction, type Node } from '../gates.js';

/** The statement lists at whose end a `using` declaration ends. */
const statementsOf = (node: Node): Node[] => {
  if (node.type === 'BlockStatement' || node.type === 'Program' || node.type === 'StaticBlock') return node.body;
  if (node.type === 'SwitchStatement') return node.cases.flatMap((c: Node) => c.consequent as Node[]);
  return [];
};

const isUsing = (node: Node | null | undefined): boolean =>
  node?.type === 'VariableDeclaration' && /using$/.test(node.kind);

/**
 * A scope covers synchronous code: other code that runs during an `await` would be in its mode too, so the scope is
 * closed.
 */
export const noScopeAcrossAwait: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'Disallow scopes of a gate that are held over an await or a yield.' },
    messages: {
      held:
        'This scope is held over {{what}}: other code would run in its mode, so it is closed and reported at the end of the ' +
        'turn. Guard the function with a decorator, `wrap` or `run`, or end the scope before.',
    },
    schema: [],
  },
  create(context) {
    const gates = gatesOf(context);
    const reported = new Set<Node>();

    /** The declarators that open a scope around `node`, and the function they are in. */
    function scopesAround(node: Node): { scopes: Node[]; within: Node | null } {
      const scopes: Node[] = [];
      const collect = (declarators: Node[]) =>
        scopes.push(...declarators.filter((d) => d.init && gates.isScope(d.init as Node)));
      let child = node;
      for (let at = node.parent; at; child = at, at = at.parent) {
        if (isFunction(at)) return { scopes, within: at };
        for (const statement of statementsOf(at)) {
          if (statement.range[1] > node.range[0]) break;
          if (isUsing(statement)) collect(statement.declarations);
        }
        if (isUsing(at)) collect(at.declarations.slice(0, at.declarations.indexOf(child)));
        if (at.type === 'ForStatement' && isUsing(at.init) && child !== at.init) collect(at.init.declarations);
      }
      return { scopes, within: null };
    }

    function check(node: Node, what: string): void {
      const { scopes, within } = scopesAround(node);
      if (scopes.length === 0 || (within?.generator && isAlwaysGuarded(within, gates))) return;
      for (const scope of scopes) {
        if (reported.has(scope)) continue;
        reported.add(scope);
        context.report({ node: scope as never, messageId: 'held', data: { what } });
      }
    }

    const inAsyncGenerator = (node: Node): boolean => {
      let fn = node.parent;
      while (fn && !isFunction(fn)) fn = fn.parent;
      return Boolean(fn?.async && fn.generator);
    };

    return {
      AwaitExpression: (node: unknown) => check(node as Node, 'an `await`'),
      YieldExpression: (node: unknown) => check(node as Node, 'a `yield`'),
      'ForOfStatement[await=true]': (node: unknown) => check(node as Node, 'a `for await`'),
      "VariableDeclaration[kind='await using']": (node: unknown) => check(node as Node, 'the end of an `await using`'),
      // An async generator awaits what it returns before its scopes end.
      'ReturnStatement[argument]': (node: unknown) => {
        if (inAsyncGenerator(node as Node)) check(node as Node, 'the `return` of an async generator, which waits');
      },
    } as Rule.RuleListener;
  },
};

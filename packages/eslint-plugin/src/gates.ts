import type { Rule, Scope } from 'eslint';

/** The properties of syntax nodes that the rules read. */
type Part =
  | ('alternate' | 'arguments' | 'async' | 'body' | 'callee' | 'cases' | 'computed' | 'consequent' | 'declarations')
  | ('decorators' | 'expression' | 'expressions' | 'generator' | 'id' | 'imported' | 'init' | 'kind' | 'left' | 'name')
  | ('object' | 'property' | 'range' | 'right' | 'source' | 'value');

/** A node of the syntax tree. The types of nodes differ between parsers, and ESLint's own lack decorators. */
export type Node = { readonly type: string; readonly parent: Node } & { readonly [part in Part]: any };

/** The part of TypeScript's type checker that is used; `typescript-eslint`'s parser provides it. */
interface Type {
  readonly symbol?: { readonly name: string; readonly declarations?: { getSourceFile(): { fileName: string } }[] };
  readonly types?: Type[];
  getProperty(name: string): unknown;
  getCallSignatures(): { getReturnType(): Type }[];
}
type GetType = (node: Node) => Type;

/** What rules can ask about gates. Answers come from types if there are any, else from imports of gradgate. */
export interface Gates {
  /** Whether an expression is a gate: `noGrad`, `noGrad(condition)`, `gradMode(flag)`, or one that a user defined. */
  isGate(node: Node): boolean;
  /** Whether a call returns a gate made of its arguments: `noGrad(() => flag)`. */
  makesGate(call: Node): boolean;
  /** The name of the gate's method that is called, and the gate's source text, or null: `noGrad.enter()`. */
  methodOf(node: Node): { gate: string; method: string } | null;
  /** Whether an expression is a scope that a gate opened. */
  isScope(node: Node): boolean;
  /** Whether an expression is a module of `@gradgate/nn`, or, without types, could be one. */
  mayBeModule(node: Node): boolean;
  /** Whether a function returns a promise. */
  givesPromise(fn: Node): boolean;
  /** Whether a name was imported from gradgate as `name`. */
  isImported(node: Node, name: string): boolean;
}

const gateNames = new Set(['noGrad', 'enableGrad', 'inferenceMode', 'evalMode', 'trainMode', 'evaluating']);
/** Functions of gradgate that return a gate when called, and are not gates themselves. */
const makerNames = new Set(['gradMode', 'freezing', 'forkRng']);
const gateMethods = ['run', 'wrap', 'enter', 'async'];

/** The expression inside syntax that only the compiler reads: `x!`, `x as T`, `<T>x`, `x satisfies T`, and `a?.b`. */
export function bare(node: Node): Node {
  while (/^(TS(NonNull|As|Satisfies|TypeAssertion|Instantiation)\w*|ChainExpression)$/.test(node.type))
    node = node.expression;
  return node;
}

export const isFunction = (node: Node): boolean => /^(ArrowFunction|Function)(Expression|Declaration)$/.test(node.type);

/** The property name after the dot, also in `gate['run']`. */
export function propertyName(member: Node): string | null {
  if (!member.computed) return member.property.name;
  return typeof member.property.value === 'string' ? member.property.value : null;
}

export function gatesOf(context: Rule.RuleContext): Gates {
  const { sourceCode } = context;
  const services = sourceCode.parserServices as { program?: unknown; getTypeAtLocation?: GetType };
  const typeOf = services.program ? services.getTypeAtLocation! : null;

  const typeHas = (node: Node, names: string[]): boolean => {
    const type = typeOf?.(node);
    return type !== undefined && names.every((name) => type.getProperty(name) !== undefined);
  };

  function variable(node: Node): Scope.Variable | null {
    for (let scope: Scope.Scope | null = sourceCode.getScope(node as never); scope !== null; scope = scope.upper) {
      const found = scope.set.get(node.name);
      if (found) return found;
    }
    return null;
  }

  /** The name under which gradgate exports what an expression refers to. */
  function imported(node: Node): string | null {
    if (node.type === 'MemberExpression')
      return node.object.type === 'Identifier' && imported(node.object) === '*' ? propertyName(node) : null;
    if (node.type !== 'Identifier') return null;
    const definition = variable(node)?.defs[0];
    if (definition?.type !== 'ImportBinding') return null;
    const { source } = definition.parent as unknown as Node;
    if (!/^@gradgate\//.test(source.value)) return null;
    const specifier = definition.node as unknown as Node;
    if (specifier.type === 'ImportSpecifier') return specifier.imported.name ?? specifier.imported.value;
    return specifier.type === 'ImportNamespaceSpecifier' ? '*' : null;
  }

  /** The initial value of a constant. */
  function constant(node: Node): Node | null {
    if (node.type !== 'Identifier') return null;
    const definition = variable(node)?.defs[0];
    if (definition?.type !== 'Variable' || (definition.parent as unknown as Node)?.kind !== 'const') return null;
    const { id, init } = definition.node as unknown as Node;
    return id.type === 'Identifier' ? init : null;
  }

  function isGate(node: Node): boolean {
    node = bare(node);
    if (typeHas(node, gateMethods) || gateNames.has(imported(node) ?? '')) return true;
    if (node.type === 'CallExpression') return makesGate(node);
    const init = constant(node);
    return init !== null && isGate(init);
  }

  function makesGate(call: Node): boolean {
    const callee = bare(call.callee);
    if (makerNames.has(imported(callee) ?? '') || isGate(callee)) return true;
    return methodOf(call) === null && typeHas(call, gateMethods);
  }

  function methodOf(node: Node): { gate: string; method: string } | null {
    if (node.type !== 'CallExpression') return null;
    const callee = bare(node.callee);
    if (callee.type !== 'MemberExpression') return null;
    const method = propertyName(callee);
    if (method === null || !gateMethods.includes(method) || !isGate(callee.object)) return null;
    return { gate: sourceCode.getText(callee.object), method };
  }

  function isScope(node: Node): boolean {
    node = bare(node);
    if (node.type === 'ConditionalExpression') return isScope(node.consequent) || isScope(node.alternate);
    if (node.type === 'LogicalExpression') return isScope(node.left) || isScope(node.right);
    if (node.type !== 'CallExpression') return false;
    if (methodOf(node)?.method === 'enter') return true;
    const symbol = typeOf?.(node).symbol;
    const declaredIn = symbol?.declarations?.[0]?.getSourceFile().fileName ?? '';
    return symbol?.name === 'Scope' && /\bcore\/(src|dist)\/grad\//.test(declaredIn);
  }

  function givesPromise(fn: Node): boolean {
    fn = bare(fn);
    if (isFunction(fn) && (fn.async || fn.generator)) return true;
    const isThenable = (type: Type): boolean =>
      type.getProperty('then') !== undefined || (type.types?.some(isThenable) ?? false);
    return (
      typeOf?.(fn)
        .getCallSignatures()
        .some((s) => isThenable(s.getReturnType())) ?? false
    );
  }

  return {
    isGate,
    makesGate,
    methodOf,
    isScope,
    givesPromise,
    mayBeModule: (node) => typeOf === null || typeHas(node, ['eval', 'train', 'parameters', 'stateDict']),
    isImported: (node, name) => imported(bare(node)) === name,
  };
}

/** The decorators of the method or field whose value the function is. */
const decorators = (fn: Node): Node[] =>
  fn.parent.type === 'MethodDefinition' || fn.parent.type === 'PropertyDefinition' ? (fn.parent.decorators ?? []) : [];

/**
 * Whether a generator always runs in a frame of its own, whatever a condition returns; then its scopes may stay open.
 */
export function isAlwaysGuarded(fn: Node, gates: Gates): boolean {
  const always = (gate: Node) => gates.isGate(gate) && !(gate.type === 'CallExpression' && gate.arguments.length > 0);
  if (decorators(fn).some((d) => always(d.expression))) return true;
  const call = fn.parent;
  if (call.type !== 'CallExpression' || call.arguments[0] !== fn || gates.methodOf(call) === null) return false;
  return always(bare(bare(call.callee).object));
}

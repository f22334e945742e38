import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import ts from 'typescript';

export const folders = ['core/src', 'nn/src', 'distributions/src', 'onnx/src', 'train/src'];

const packages = fileURLToPath(new URL('../../packages/', import.meta.url));

/**
 * The programs in the docstrings of folders such as `core/src`, as JavaScript in which each value that is passed, listed or
 * assigned goes through `$change(place, value)` and the arguments of each call through `$list(place, args)`; a statement that
 * only shows a value gives it to `$use`. `places` has the name of what each of them stands in.
 */
export function examples(folders) {
  return folders.flatMap((folder) =>
    readdirSync(join(packages, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .sort()
      .flatMap((file) => blocks(join(folder, file)))
      .map(({ place, code }) => ({ place, ...instrumented(code) }))
      .filter(({ places }) => places.length > 0),
  );
}

function blocks(file) {
  const source = readFileSync(join(packages, file), 'utf8');
  return [...source.matchAll(/^ *\* ```ts\n(.*?)^ *\* ```$/gms)].map(({ index, 1: block }) => ({
    place: `${file}:${source.slice(0, index).split('\n').length}`,
    code: block.replaceAll(/^ *\* ?/gm, ''),
  }));
}

const printer = ts.createPrinter();

function instrumented(code) {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true);
  const places = [];
  const { transformed } = ts.transform(source, [(context) => (file) => ts.visitNode(file, visitor(context, places))]);
  const text = printer.printFile(transformed[0]);
  return { code: transformSync(`async function run() {${text}\n}`, { loader: 'ts', target: 'es2022' }).code, places };
}

function visitor(context, places) {
  const { factory } = context;
  const call = (name, ...args) => factory.createCallExpression(factory.createIdentifier(name), undefined, args);
  const placed = (name, of, node) => call(name, factory.createNumericLiteral(places.push(of) - 1), node);
  const value = (node, of, visit) => {
    const inner = ts.visitNode(node, visit);
    return ts.isSpreadElement(node) || ts.isOmittedExpression(node) ? inner : placed('$change', of, inner);
  };
  const within = (of) => {
    const visit = (node) => {
      if (ts.isCallExpression(node) || ts.isNewExpression(node)) return visitCall(node);
      if (ts.isPropertyAssignment(node))
        return factory.updatePropertyAssignment(node, node.name, value(node.initializer, of, visit));
      if (ts.isArrayLiteralExpression(node))
        return factory.createArrayLiteralExpression(node.elements.map((e) => value(e, of, visit)));
      if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken)
        return ts.isArrayLiteralExpression(node.left)
          ? node
          : factory.createAssignment(node.left, value(node.right, node.left.getText(), visit));
      if (ts.isExpressionStatement(node) && !ts.isBinaryExpression(node.expression))
        return factory.createExpressionStatement(call('$use', ts.visitNode(node.expression, visit)));
      return ts.visitEachChild(node, visit, context);
    };
    return visit;
  };
  const visitCall = (node) => {
    const { kind } = node.expression;
    // super(...) and import(...) are no calls of a value.
    if (kind === ts.SyntaxKind.SuperKeyword || kind === ts.SyntaxKind.ImportKeyword || !node.arguments)
      return ts.visitEachChild(node, within('the program'), context);
    const of = node.expression.getText().replaceAll(/\s+/g, ' ').slice(-60);
    const visit = within(of);
    const args = factory.createArrayLiteralExpression(node.arguments.map((a) => value(a, of, visit)));
    const spread = [factory.createSpreadElement(placed('$list', of, args))];
    if (ts.isNewExpression(node)) return factory.createNewExpression(node.expression, undefined, spread);
    return factory.createCallExpression(ts.visitNode(node.expression, visit), undefined, spread);
  };
  return within('the program');
}

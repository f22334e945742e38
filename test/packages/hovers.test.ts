import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const packages = fileURLToPath(new URL('../../packages/', import.meta.url));

/** The declaration files of all public entry points, with the names they are imported by. */
const entries = readdirSync(packages).flatMap((folder) => {
  const { name, exports = {} } = JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8'));
  return Object.entries<{ types?: string }>(exports)
    .filter(([path, { types }]) => types !== undefined && path !== './internal')
    .map(([path, { types }]) => ({ entry: `${name}${path.slice(1)}`, file: join(packages, folder, types!) }));
});

/** The exports and their members without documentation, as the language service of an editor reads it. */
function undocumented(): { exports: string[]; members: string[]; overloads: string[]; read: number } {
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      noLib: true,
    },
  );
  const checker = program.getTypeChecker();
  const resolved = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const lacking: string[] = [];
  const members: string[] = [];
  const overloads: string[] = [];
  const seen = new Set<ts.Symbol>();
  const visitMembers = (owner: string, type: ts.Symbol) => {
    if (seen.has(type) || !(type.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)))
      return;
    seen.add(type);
    const own = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(type));
    const ofClass = type.flags & ts.SymbolFlags.Class ? checker.getPropertiesOfType(checker.getTypeOfSymbol(type)) : [];
    for (const member of [...own, ...ofClass]) {
      const [declaration] = member.declarations ?? [];
      // Private members, symbols, what TypeScript itself declares, and the names of errors speak for themselves.
      if (!declaration?.getSourceFile().fileName.startsWith(packages) || /^(__|#|prototype$)/.test(member.name))
        continue;
      if (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private) continue;
      if (member.name === 'name' && owner.endsWith('Error')) continue;
      read++;
      if (member.getDocumentationComment(checker).length === 0) members.push(`${owner}.${member.name}`);
      visitOverloads(`${owner}.${member.name}`, member);
    }
  };
  // Of several signatures an editor shows the comment of the one that is called, and no other.
  const visitOverloads = (name: string, symbol: ts.Symbol) => {
    const signatures = checker.getTypeOfSymbol(symbol).getCallSignatures();
    if (signatures.length < 2) return;
    for (const [i, signature] of signatures.entries())
      if (signature.getDocumentationComment(checker).length === 0) overloads.push(`${name}, signature ${i + 1}`);
  };
  let read = 0;
  const visit = (owner: string, module: ts.Symbol) => {
    for (const symbol of checker.getExportsOfModule(module)) {
      const name = `${owner}.${symbol.name}`;
      const target = resolved(symbol);
      if ([symbol, target].every((s) => s.getDocumentationComment(checker).length === 0)) lacking.push(name);
      visitMembers(name, target);
      if (target.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable)) visitOverloads(name, target);
      if (target.flags & ts.SymbolFlags.ValueModule) visit(name, target);
    }
  };
  for (const { entry, file } of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!);
    if (module !== undefined) visit(entry, module);
  }
  return { exports: lacking, members, overloads, read };
}

it('an editor shows what each exported function, class, namespace and type is, each of their members and each overload', {
  timeout: 120_000,
}, () => {
  expect(entries.length).toBeGreaterThan(30);
  const { exports, members, overloads, read } = undocumented();
  expect(exports).toEqual([]);
  expect(members).toEqual([]);
  expect(overloads).toEqual([]);
  expect(read).toBeGreaterThan(5000);
});

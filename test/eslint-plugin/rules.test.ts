import { fileURLToPath } from 'node:url';
import plugin from '@gradgate/eslint-plugin';
import parser from '@typescript-eslint/parser';
import { RuleTester } from 'eslint';
import { describe, it } from 'vitest';

Object.assign(RuleTester, { describe, it, itOnly: it.only });

const project = fileURLToPath(new URL('./project', import.meta.url));
const typed = new RuleTester({
  languageOptions: {
    parser,
    parserOptions: { projectService: true, tsconfigRootDir: project },
  },
});
const untyped = new RuleTester({ languageOptions: { parser } });

const imports = `import { bindGradMode, enableGrad, gradMode, noGrad } from '@gradgate/core';
import * as core from '@gradgate/core/grad';
declare const p: Promise<number>; declare const flag: boolean; declare const xs: AsyncIterable<number>;
`;
type Invalid = [code: string, ...rest: { data?: Record<string, string>; output?: string }[]];

/** Runs the cases without types, and, since the compiler takes its time, the first of them with types. */
function check(name: keyof typeof plugin.rules, messageId: string, valid: string[], invalid: Invalid[]): void {
  const filename = `${project}/standard/model.ts`;
  const cases = {
    valid: valid.map((code) => ({ filename, code: imports + code })),
    invalid: invalid.map(([code, ...errors]) => ({
      filename,
      code: imports + code,
      errors: (errors.length ? errors : [{}]).map(({ output, ...rest }) => ({
        messageId,
        ...rest,
        ...(output === undefined ? {} : { suggestions: [{ messageId: 'suggestion', output: imports + output }] }),
      })),
    })),
  };
  const first = { valid: cases.valid.slice(0, 3), invalid: cases.invalid.slice(0, 4) };
  describe('with types', () => typed.run(name, plugin.rules[name], first));
  describe('without types', () => untyped.run(name, plugin.rules[name], cases));
}

check(
  'no-scope-across-await',
  'held',
  [
    'async function f() { { using _ = noGrad.enter(); } await p; }',
    'async function f() { await p; using _ = noGrad.enter(); return 1; }',
    'async function f() { using _ = noGrad.enter(); return async () => { await p; }; }',
    'async function f() { using _ = noGrad.enter(); return p; }',
    'async function f() { for await (const x of xs) { using _ = noGrad.enter(); x.toFixed(); } }',
    'async function f() { await using a = await open(); using _ = noGrad.enter(); } declare function open(): any;',
    'async function f() { using other = { [Symbol.dispose]() {} }; await p; }',
    'async function f() { switch (1) { case 1: await p; break; default: using _ = noGrad.enter(); } }',
    'const all = noGrad.wrap(function* () { using _ = enableGrad.enter(); yield 1; });',
    'const all = noGrad.async(function* () { using _ = enableGrad.enter(); yield p; });',
    'class A { @noGrad *all() { using _ = enableGrad.enter(); yield 1; } }',
    'class A { @noGrad() async *all() { using _ = enableGrad.enter(); await p; yield 1; } }',
  ],
  [
    ['async function f() { using _ = noGrad.enter(); await p; }', { data: { what: 'an `await`' } }],
    ['async function f() { using _ = noGrad.enter(); await p; await p; }'],
    ['async function f() { using _ = noGrad.enter(), n = await p; }'],
    ['async function f() { using _ = noGrad.enter(); if (flag) { return [await p]; } }'],
    ['async function f() { using _ = flag ? noGrad.enter() : null; await p; }'],
    ['async function f() { using _ = noGrad(flag).enter(); await p; }'],
    ['async function f() { using _ = noGrad(() => flag).enter(); await p; }'],
    ['async function f() { using _ = gradMode(flag).enter(); await p; }'],
    ['async function f() { using _ = core.noGrad.enter(); await p; }'],
    ["async function f() { using _ = noGrad['enter'](); await p; }"],
    ['const quiet = noGrad(flag); const f = async () => { using _ = quiet.enter(); await p; };'],
    [
      'async function f() { using _ = noGrad.enter(); for await (const x of xs) x; }',
      { data: { what: 'a `for await`' } },
    ],
    ['async function f() { for (using _ = noGrad.enter(); flag; ) await p; }'],
    ['async function f() { switch (1) { case 1: using _ = noGrad.enter(); break; default: await p; } }'],
    ['async function f() { using _ = noGrad.enter(); await using a = open(); } declare function open(): any;'],
    ['async function f() { using a = noGrad.enter(); using b = enableGrad.enter(); await p; }', {}, {}],
    ['function* f() { using _ = noGrad.enter(); yield 1; }', { data: { what: 'a `yield`' } }],
    ['async function* f() { using _ = noGrad.enter(); return p; }'],
    ['class A { @noGrad(() => flag) *all() { using _ = enableGrad.enter(); yield 1; } }'],
    ['class A { @noGrad async m() { using _ = enableGrad.enter(); await p; } }'],
    ['using _ = noGrad.enter(); await p;'],
  ],
);

check(
  'require-using',
  'using',
  [
    'function f() { using _ = noGrad.enter(); }',
    'function f() { using _ = flag ? noGrad.enter() : enableGrad.enter(); }',
    'async function f() { await using _ = noGrad.enter(); }',
    'function f() { return noGrad.enter(); }',
    'const f = () => noGrad.enter();',
    'declare const stack: DisposableStack; stack.use(noGrad.enter());',
    'declare const door: { enter(): void }; door.enter();',
  ],
  [
    ['function f() { noGrad.enter(); }', { output: 'function f() { using _ = noGrad.enter(); }' }],
    ['function f() { const s = noGrad.enter(); }', { output: 'function f() { using s = noGrad.enter(); }' }],
    [
      'function f() { let s = gradMode(flag).enter(); }',
      { output: 'function f() { using s = gradMode(flag).enter(); }' },
    ],
    ['class A { s: unknown; open() { this.s = noGrad.enter(); } }', { data: { gate: 'noGrad', method: 'enter' } }],
    ['const s = [noGrad.enter()];'],
    ['noGrad.enter()[Symbol.dispose]();'],
  ],
);

check(
  'no-dropped-gate',
  'gate',
  [
    'noGrad.run(() => 1);',
    'noGrad(flag).run(() => noGrad);',
    'const f = noGrad.wrap(() => 1); f();',
    'noGrad.wrap(() => 1)();',
    'class A { @noGrad m() {} }',
    'export const quiet = noGrad(() => flag);',
    'declare function other(f: () => boolean): void; other(() => true);',
  ],
  [
    ['noGrad;', { data: { gate: 'noGrad' } }],
    ['noGrad();'],
    ['noGrad(flag);'],
    ['noGrad(() => flag);'],
    ['gradMode(flag);'],
    ['core.noGrad(flag);', { data: { gate: 'core.noGrad' } }],
    ['flag && noGrad(flag);'],
    ['flag ? noGrad(flag) : gradMode(flag);', {}, {}],
  ],
);
check(
  'no-dropped-gate',
  'guarded',
  [],
  [
    ['noGrad.wrap(() => 1);', { data: { method: 'wrap' } }],
    ['noGrad(flag).async(function* () { yield 1; });', { data: { method: 'async' } }],
    ['bindGradMode(() => 1);', { data: { method: 'bindGradMode' } }],
  ],
);

check(
  'no-async-condition',
  'async',
  [
    'noGrad(() => flag).run(() => 1);',
    'noGrad.run(async () => true);',
    'noGrad.wrap(async () => true);',
    'class A { @noGrad(() => flag) async m() {} }',
    'declare function other(f: () => unknown): void; other(async () => true);',
  ],
  [
    ['noGrad(async () => true).run(() => 1);'],
    ['const quiet = gradMode(async () => true);'],
    ['noGrad(async function () { return true; });'],
    ['noGrad(function* () { return true; });'],
    ['class A { @noGrad(async () => true) m() {} }'],
    ['class A { @core.noGrad(async () => true) get m() { return 1; } }'],
  ],
);

// What only types tell.
typed.run('gates by their type', plugin.rules['no-async-condition'], {
  valid: [],
  invalid: [
    'const ask = async () => true; noGrad(ask as never);',
    'noGrad(() => p as never as boolean | Promise<boolean>);',
    'declare const my: { quiet: typeof noGrad }; my.quiet(async () => true);',
  ].map((code) => ({
    filename: `${project}/standard/model.ts`,
    code: imports + code.replace(' as never)', ')'),
    errors: [{ messageId: 'async' }],
  })),
});
typed.run('scopes by their type', plugin.rules['no-scope-across-await'], {
  valid: [],
  invalid: [
    {
      filename: `${project}/standard/model.ts`,
      code: `${imports}const open = () => noGrad.enter(); async function f() { using _ = open(); await p; }`,
      errors: [{ messageId: 'held' }],
    },
  ],
});

const net = 'class Net extends Module { fc = new Linear(1, 1);';
for (const [kind, tester] of Object.entries({ typed, untyped }))
  tester.run(`prefer-eval-mode, ${kind}`, plugin.rules['prefer-eval-mode'], {
    valid: [
      `${net} score() { this.eval(); } }`,
      `${net} step() { this.forward().backward(); } } function score(net: Net) { net.eval(); }`,
      `${net} step() { this.forward().backward(); } score(shell: any) { shell.eval('1 + 1'); } }`,
    ].map((code) => ({
      filename: `${project}/standard/model.ts`,
      code: `import { Linear, Module } from '@gradgate/nn'; ${code}`,
    })),
    invalid: [
      `${net} score() { this.eval(); } step() { this.forward().backward(); } }`,
      `${net} score() { this.fc.eval(); } resume() { this.train(); } }`,
    ].map((code) => ({
      filename: `${project}/standard/model.ts`,
      code: `import { Linear, Module } from '@gradgate/nn'; ${code}`,
      errors: [{ messageId: 'shared' }],
    })),
  });

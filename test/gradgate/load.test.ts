import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
const gradgate = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'packages/gradgate/bin/gradgate.js'), ...args],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  return { status, lines: `${stdout}${stderr}`.trim().split('\n') };
};
function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const model = `
  import { ones, noGrad } from '@gradgate/core';
  import { Linear } from '@gradgate/nn';
  class Net extends Linear { @noGrad score() { return 1; } }
  export const net = new Net(3, 2);
  export default () => net(ones([1, 3])).sum();
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradgate-load-'));
  mkdirSync(join(folder, 'node_modules/@gradgate'), { recursive: true });
  for (const name of ['core', 'nn'])
    symlinkSync(join(root, 'packages', name), join(folder, 'node_modules/@gradgate', name));
  write('package.json', '{}');
  write('esm/package.json', '{ "type": "module" }');
  for (const path of ['model.ts', 'model.mts', 'esm/model.ts', 'esm/model.cts', 'model.js'])
    write(path, model.replace('@noGrad', path.endsWith('.js') ? '' : '@noGrad'));
  write(
    'model.cjs',
    `const { ones } = require('@gradgate/core'); const { Linear } = require('@gradgate/nn');
     const net = new Linear(3, 2); module.exports = () => net(ones([1, 3])).sum(); module.exports.net = net;`,
  );
  write('aliased/tsconfig.json', '{ "compilerOptions": { "paths": { "~/*": ["./lib/*"] } } }');
  write('aliased/lib/n.ts', 'export const n: number = 2;');
  write(
    'aliased/model.ts',
    "import { ones } from '@gradgate/core'; import { n } from '~/n'; export default ones([n], { requiresGrad: true }).sum();",
  );
  write('module.ts', "import { Linear } from '@gradgate/nn'; export default new Linear(3, 2);");
  write('wrong.ts', 'export default 1 +;');
  write('number.ts', 'export default 3;');
  write('ends.ts', 'process.exit(0);');
  write('waits.ts', 'await new Promise(() => {});');
  write('absent.ts', "import x from 'not-there'; export default x;");
  write('unnamed.ts', "import { nothing } from '@gradgate/core'; export default nothing;");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(['model.ts', 'model.mts', 'model.js', 'model.cjs', 'esm/model.ts', 'esm/model.cts', 'aliased/model.ts'])(
  'the command line takes %s, and leaves nothing behind but the picture',
  (path) => {
    expect(gradgate('graph', path, '-o', 'out.svg')).toEqual({ status: 0, lines: ['wrote out.svg'] });
    const svg = readFileSync(join(folder, 'out.svg'), 'utf8');
    expect(svg).toContain(path.startsWith('aliased') ? 'leaf' : 'net.weight');
    rmSync(join(folder, 'out.svg'));
    expect(readdirSync(dirname(join(folder, path))).filter((name) => name.startsWith('.'))).toEqual([]);
  },
);

it.each([
  ['ends itself', 'await null; process.exit(3);', 3],
  [
    'throws what nobody catches',
    "setTimeout(() => { throw new Error('late'); }); await new Promise(() => setInterval(() => {}, 1e3));",
    1,
  ],
])('a script that %s before its last line leaves nothing behind', (_, script, code) => {
  write('ends/package.json', '{ "type": "module" }');
  write('ends/script.ts', script);
  expect(gradgate('timeline', 'ends/script.ts', '-o', 'out.svg').status).toBe(code);
  expect(readdirSync(join(folder, 'ends')).sort()).toEqual(['package.json', 'script.ts']);
});

it('what a killed script has left is removed at the next start, and what a running one has is not', () => {
  write('killed/package.json', '{ "type": "module" }');
  write('killed/script.ts', "if (process.env['KILLED']) process.kill(process.pid, 'SIGKILL');");
  const files = () => readdirSync(join(folder, 'killed')).filter((name) => name.startsWith('.'));
  process.env['KILLED'] = '1';
  expect(gradgate('timeline', 'killed/script.ts', '-o', 'out.svg').status).not.toBe(0);
  delete process.env['KILLED'];
  expect(files()).toEqual([expect.stringMatching(/^\.script\.ts\.\d+-\d+\./)]);
  const others = [`.script.ts.1-${process.pid}.${hostname()}.mjs`, '.script.ts.1-2.another-host.mjs', '.script.ts.mjs'];
  for (const name of others) write(`killed/${name}`, '');
  expect(gradgate('timeline', 'killed/script.ts', '-o', 'out.svg').status).toBe(0);
  expect(files().sort()).toEqual([...others].sort());
});

it('a picture is of the kind that its name says', () => {
  expect(gradgate('graph', 'model.ts', '-o', 'out.dot').status).toBe(0);
  expect(readFileSync(join(folder, 'out.dot'), 'utf8')).toMatch(/^digraph autograd/);
  expect(gradgate('graph', 'model.ts', '-o', 'out.jpg')).toEqual({
    status: 2,
    lines: ['gradgate graph: pictures must be .svg or .png or .dot files, got out.jpg'],
  });
  expect(existsSync(join(folder, 'out.jpg'))).toBe(false);
});

it.each(['ends.ts', 'waits.ts'])('a picture that is not drawn is told of, and the exit code is not 0: %s', (file) => {
  for (const command of ['graph', 'timeline']) {
    const line = `gradgate ${command}: ${file} ended before its last line, and out.svg was not written`;
    expect(gradgate(command, file, '-o', 'out.svg')).toEqual({ status: 1, lines: [line] });
  }
});

it.each([
  [['graph', 'missing.ts'], 'there is no file missing.ts'],
  [['graph', 'esm'], 'esm is a folder; name the module in it'],
  [['graph', 'model.ts', '-o', 'nowhere/out.svg'], 'gradgate graph: there is no folder nowhere'],
  [['policies', 'missing.ts'], 'there is no file missing.ts'],
  [['timeline', 'missing.ts'], 'there is no file missing.ts'],
  [
    ['graph', 'module.ts'],
    'gradgate graph: the default export of module.ts is a Module; give the shape of each argument it is called with, such as --input 1,3,224,224',
  ],
  [['graph', 'wrong.ts'], 'wrong.ts:1:19: Unexpected ";"'],
  [['graph', 'model.ts/x.ts'], 'there is no file model.ts/x.ts'],
  [
    ['graph', 'number.ts', '--input', '2,3'],
    'gradgate graph: --input needs a Module, and the default export of number.ts is not one',
  ],
  [['graph', 'absent.ts'], "absent.ts: Cannot find package 'not-there' imported from absent.ts"],
  [
    ['graph', 'unnamed.ts'],
    "unnamed.ts: The requested module '@gradgate/core' does not provide an export named 'nothing'",
  ],
  [
    ['graph', 'module.ts', '--input', '1,4'],
    'gradgate graph: Linear: linear: input [1, 4] and weight [2, 3]: expected [..., in] and [out, in] (called with [1, 4])',
  ],
  [
    ['graph', 'model.ts', '-o', 'model.js/out.svg'],
    "gradgate graph: model.js/out.svg cannot be written: ENOTDIR: not a directory, open 'model.js/out.svg'",
  ],
])('gradgate %j says in one line what is wrong', (args, line) => {
  expect(gradgate(...args)).toEqual({ status: 2, lines: [line] });
});

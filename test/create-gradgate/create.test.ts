import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createProject, templates } from '../../packages/create-gradgate/src/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'test/node_modules/typescript/bin/tsc');

/** A folder in this one, so that the packages of the workspace, and what the tests have installed, are found. */
function folder(): string {
  const made = mkdtempSync(join(import.meta.dirname, '.project-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

function project(template: (typeof templates)[number]): string {
  const made = folder();
  createProject(made, { template });
  return made;
}

const compile = (of: string) => {
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', of], { encoding: 'utf8' });
  expect(stdout + stderr).toBe('');
};
const manifest = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

describe('createProject', () => {
  it.each(templates)('%s: writes all files under the name of the folder, with the versions of today', (template) => {
    const made = join(folder(), 'My model!');
    const files = createProject(made, { template });
    expect(files).toEqual([...files].sort());
    for (const file of ['.gitignore', 'package.json', 'src/main.ts', 'src/model.ts', 'tsconfig.json'])
      expect(files).toContain(file);
    expect(files).toHaveLength(readdirSync(made, { recursive: true }).filter((file) => file !== 'src').length);
    const { name, dependencies, devDependencies } = manifest(join(made, 'package.json'));
    expect(name).toBe('my-model');
    const ours = Object.entries({ ...dependencies, ...devDependencies }).filter(([of]) => of.startsWith('@gradgate/'));
    expect(ours.length).toBeGreaterThan(1);
    for (const [of, range] of ours)
      expect([of, range]).toEqual([of, `^${manifest(join(root, `packages/${of.slice(10)}/package.json`)).version}`]);
  });

  it('refuses a folder with something in it, a file, and a template that there is none of', () => {
    const made = project('node');
    expect(() => createProject(made)).toThrow(/createProject: the folder .* is not empty/);
    expect(() => createProject(join(made, 'package.json'))).toThrow(/package\.json is a file/);
    const at = join(made, 'x');
    expect(() => createProject(at, { template: 'deno' as never })).toThrow(
      /there is no template 'deno'; there is node, vite, nest/,
    );
    expect(() => createProject(at, { templat: 'node' } as never)).toThrow(/there is no option 'templat'/);
    const loop: { self?: unknown } = {};
    loop.self = loop;
    for (const wrong of [loop, 10n, 'a\0b', '', null, Symbol('s')])
      expect(() => createProject(wrong as never)).toThrow(/createProject: the folder must be a path, got/);
    for (const template of [loop, 10n, null])
      expect(() => createProject(at, { template } as never)).toThrow(/createProject: there is no template/);
    expect(() => createProject(at, null as never)).toThrow(/createProject: options must be an object/);
    expect(() => createProject(undefined as never)).toThrow(/createProject: the folder must be a path/);
    expect(readdirSync(made)).not.toContain('x');
  });

  it('the command says what it has written and what comes next, and what it takes', () => {
    const cli = join(root, 'packages/create-gradgate/bin/create-gradgate.js');
    const run = (...args: string[]) => spawnSync(process.execPath, [cli, ...args], { cwd: folder(), encoding: 'utf8' });
    const { stdout, status } = run('page', '--template', 'vite');
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^wrote .*index\.html.*\n\n {2}cd page\n {2}npm install/),
    ]);
    expect(run().stderr).toMatch(/create-gradgate: give exactly one folder\n\nusage: npm create gradgate@latest/);
    expect(run('a', '-t', 'x')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("there is no template 'x'"),
    });
    expect(run('--help').stdout).toMatch(/^usage/);
  });
});

/** The loss that a program has printed, after training. */
const lossIn = (text: string) => Number(/loss"?:? ([\d.e-]+)/.exec(text)?.[1]);

describe('what is made', () => {
  it('node: compiles, trains and predicts', () => {
    const made = project('node');
    compile(made);
    const printed = execFileSync(process.execPath, [join(made, 'dist/main.js')], { encoding: 'utf8' });
    expect(lossIn(printed)).toBeLessThan(0.05);
  });

  it('vite: compiles, and the page that is built trains', async () => {
    const made = project('vite');
    compile(made);
    await build({ root: made, logLevel: 'silent' });
    const [file] = readdirSync(join(made, 'dist/assets')).filter((name) => name.endsWith('.js'));
    // The page, as far as the program sees of it.
    const page = `const log = {}; globalThis.document = { querySelector: () => log, createElement: () => ({ relList: { supports: () => true } }) };
      await import(${JSON.stringify(pathToFileURL(join(made, 'dist/assets', file!)).href)});
      console.log(log.textContent);`;
    writeFileSync(join(made, 'page.mjs'), page);
    expect(lossIn(execFileSync(process.execPath, [join(made, 'page.mjs')], { encoding: 'utf8' }))).toBeLessThan(0.05);
  });

  it('nest: compiles, and serves training and predictions', async () => {
    const made = project('nest');
    compile(made);
    const server = spawn(process.execPath, [join(made, 'dist/main.js')], { env: { ...process.env, PORT: '0' } });
    onTestFinished(() => void server.kill());
    const at = await addressOf(server);
    const post = async (path: string, body: unknown) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${at}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return response.json();
    };
    const [{ loss }, rows] = await Promise.all([
      post('/train', {}),
      post('/predict', [
        [0, 1],
        [1, 1],
      ]),
    ]);
    expect(loss).toBeLessThan(1);
    expect(rows).toEqual([[expect.any(Number)], [expect.any(Number)]]);
    expect((await post('/train', {})).loss).toBeLessThan(loss);
    expect(await post('/predict', [[0, 1, 2]])).toMatchObject({
      statusCode: 400,
      message: expect.stringMatching(/linear/),
    });
  });
});

/** Where a server listens, once it says so. */
const addressOf = (server: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: unknown) => {
      text += chunk;
      const found = /POST (http:\S+?)\/train/.exec(text)?.[1];
      if (found !== undefined) resolve(found.replace('[::1]', 'localhost'));
    };
    server.stdout!.on('data', read);
    server.stderr!.on('data', read);
    server.once('exit', () => reject(new Error(text)));
  });

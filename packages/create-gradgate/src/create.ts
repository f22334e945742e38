import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

/** The folder of a template, or with 'all' that of the files that all of them have. */
const folderOf = (name: string): string => fileURLToPath(new URL(`../templates/${name}`, import.meta.url));

/** The templates: a program for Node, a web page built by Vite, a server with NestJS. */
export const templates = ['node', 'vite', 'nest'] as const;

/** The name of a template. */
export type Template = (typeof templates)[number];

/** The options of `createProject`. */
export interface CreateOptions {
  /** The template; `'node'` by default. */
  template?: Template;
}

/** A value in short form, for errors. */
const show = (value: unknown): string => inspect(value, { depth: 0, maxStringLength: 40, maxArrayLength: 4 });

/** A name from the folder's that npm accepts for a package. */
const nameOf = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9~-]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'gradgate-project';

/**
 * Writes a project into a folder, which is created if needed and must be empty. Returns the sorted names of the files.
 * Nothing is installed.
 *
 * ```ts
 * createProject('my-model', { template: 'vite' }); // ['.gitignore', 'index.html', 'package.json', ...]
 * ```
 */
export function createProject(folder: string, options: CreateOptions = {}): string[] {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`createProject: options must be an object, such as { template: 'vite' }, got ${show(options)}`);
  const { template = 'node', ...others } = options;
  for (const name of Object.keys(others))
    throw new TypeError(`createProject: there is no option ${show(name)}; there is template`);
  if (typeof folder !== 'string' || folder === '' || folder.includes('\0'))
    throw new TypeError(`createProject: the folder must be a path, got ${show(folder)}`);
  if (!templates.includes(template))
    throw new TypeError(`createProject: there is no template ${show(template)}; there is ${templates.join(', ')}`);
  const to = resolve(folder);
  if (existsSync(to) && !statSync(to).isDirectory()) throw new TypeError(`createProject: ${folder} is a file`);
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new TypeError(`createProject: the folder ${folder} is not empty; name another one`);
  mkdirSync(to, { recursive: true });
  for (const name of ['all', template]) cpSync(folderOf(name), to, { recursive: true });
  const file = join(to, 'package.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"name": "template"', `"name": "${nameOf(to)}"`));
  // Written here, as npm leaves .gitignore files out of tarballs.
  writeFileSync(join(to, '.gitignore'), 'node_modules/\ndist/\n');
  return readdirSync(to, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(to.length + 1))
    .sort();
}

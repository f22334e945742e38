import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** npm, without the environment that an outer npm sets for its own folder. */
export function npm(args: string[], options: ExecFileSyncOptions & { cwd: string }): string {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([k]) => !/^npm_(config_local_prefix|package_|lifecycle_)/.test(k)),
  );
  return execFileSync('npm', args, { ...options, env, stdio: 'pipe' }).toString();
}

/** A folder outside the workspace, so that no `node_modules` above it is found. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'gradgate-packages-'));

/** The name of the package in this folder of `packages`; most have a scope. */
export const nameOf = (folder: string): string =>
  JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')).name;

/** Packs a package into `folder`, as it would be published. */
export function pack(name: string, folder: string): string {
  npm(['pack', '--silent', '--pack-destination', folder], { cwd: join(root, 'packages', name) });
  const start = nameOf(name).replace('@', '').replace('/', '-');
  return join(folder, readdirSync(folder).find((f) => new RegExp(`^${start}-\\d`).test(f))!);
}

/** The tarball of a package, for the running test. */
export function packForTest(name: string): string {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return pack(name, folder);
}

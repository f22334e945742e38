import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The folder that install.mjs made for this peer. */
const folder = process.env.PEERS ?? '';

/** Imports a package from that folder, as a program in it would. */
export const load = async (name) => (await import(pathToFileURL(join(folder, 'load.mjs')).href)).default(name);

export const require = createRequire(join(folder, 'package.json'));

import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isOpenblasLoaded } from '@gradgate/openblas';

// Some tests need more than Node and npm packages. The tests that ask here are run once more by `.ci/run` after it has
// installed what is missing.

/** The first program with one of these names on the PATH. */
export const findProgram = (...names: string[]): string | undefined =>
  names
    .flatMap((name) => (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)))
    .find(isExecutable);

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What was found, or undefined, after a line that says which tests are skipped and why. */
export function need<T>(found: T | undefined, tests: string, reason: string): T | undefined {
  if (found === undefined) console.warn(`skipped: ${tests}; ${reason}`);
  return found;
}

/** The Chromium of this system: the one that CHROMIUM names, or the first on the PATH. */
export const needChromium = (tests: string): string | undefined =>
  need(
    process.env['CHROMIUM'] || findProgram('chromium', 'chromium-browser', 'google-chrome'),
    tests,
    'no chromium, chromium-browser or google-chrome on the PATH; CHROMIUM can name one',
  );

/** True if OpenBLAS is loaded. */
export const needOpenblas = (tests: string): true | undefined =>
  need(isOpenblasLoaded() || undefined, tests, 'there is no OpenBLAS; the line above says why');

/** The binary of `@gradgate/native` for this machine. */
export function needNative(tests: string): string | undefined {
  const file = fileURLToPath(
    new URL(`../packages/native/prebuilds/${process.platform}-${process.arch}.node`, import.meta.url),
  );
  return need(
    existsSync(file) ? file : undefined,
    tests,
    `${file} is not built: npm run build:native, which takes clang and lld`,
  );
}

/** The launchers of MPI: Debian installs those of Open MPI and MPICH side by side, under these names. */
export const needMpi = (tests: string): string[] =>
  ['mpirun.openmpi', 'mpirun.mpich'].filter((name) =>
    need(findProgram(name), `${tests}, by ${name}`, "Debian's openmpi-bin and mpich have it"),
  );

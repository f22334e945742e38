/** npm runs this in a package's folder before packing it: each tarball contains the changelog. */
import { copyFileSync } from 'node:fs';

copyFileSync(new URL('../CHANGELOG.md', import.meta.url), 'CHANGELOG.md');

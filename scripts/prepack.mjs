/** Run by npm in the folder of a package before it is packed: each tarball has the changelog of all. */
import { copyFileSync } from 'node:fs';

copyFileSync(new URL('../CHANGELOG.md', import.meta.url), 'CHANGELOG.md');

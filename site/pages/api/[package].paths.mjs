import { readFileSync } from 'node:fs';
import { familyPages } from '../../scripts/families.mjs';

export default {
  paths: () => familyPages(JSON.parse(readFileSync(new URL('../../.cache/api.json', import.meta.url), 'utf8'))),
};

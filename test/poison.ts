import { features } from '../packages/core/src/backend/wasm/module.js';
import { residence } from '../packages/core/src/backend/wasm/residency.js';

// Set for `npm run test:memory`; see `vitest.config.ts`.
residence.from = 1;
residence.poison = true;
features.fused = false;

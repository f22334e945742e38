import { residence } from '../packages/core/src/backend/wasm/residency.js';
import { features } from '../packages/core/src/kernels/wasm/module.js';

// Set for `npm run test:memory`; see `vitest.config.ts`.
residence.from = 1;
residence.poison = true;
features.fused = false;

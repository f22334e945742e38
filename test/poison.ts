import { residence } from '../packages/core/src/kernels/resident.js';

// Set for `npm run test:memory`; see `vitest.config.ts`.
residence.from = 1;
residence.poison = true;

import { isNativeLoaded } from '@gradgate/native';
import { limits } from '../packages/native/src/results.js';

// Setup for `npm run test:native`.
if (!isNativeLoaded()) throw new Error('there is no native addon to run the tests with: npm run build:native');
limits.min = 1e5;

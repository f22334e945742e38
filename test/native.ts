import { isNativeLoaded } from '@gradgate/native';

// Setup for `npm run test:native`.
if (!isNativeLoaded()) throw new Error('there is no native addon to run the tests with: npm run build:native');

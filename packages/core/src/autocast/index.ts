// The entry point `@gradgate/core/autocast`, apart from core so that programs that compute in one dtype do not load it.

export { autocast, getAutocastDtype, isAutocastEnabled, type LowerDType } from './autocast.js';

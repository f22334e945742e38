import { defineMode } from '../grad/index.js';
import type { Tensor } from './tensor.js';

/** The leaves that are frozen in this flow. */
export const frozen = defineMode<ReadonlySet<Tensor>>('gradgate.frozen', new Set());

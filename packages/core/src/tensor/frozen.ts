import { defineMode } from '../grad/index.js';
import type { Tensor } from './tensor.js';

/** The leaves that `freezing` gates of this flow name. */
export const frozen = defineMode<ReadonlySet<Tensor>>('gradgate.frozen', new Set());

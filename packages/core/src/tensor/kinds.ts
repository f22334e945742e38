import { instanceOf, type Kind } from '../kinds.js';
import { Generator } from './random.js';
import { Tensor } from './tensor.js';

export * from '../kinds.js';

export const tensor: Kind = { text: 'a Tensor', is: Tensor.is };
export const generator: Kind = instanceOf('a Generator', () => Generator);

import { tf } from './tfjs.mjs';

await tf.setBackend('cpu');
await tf.ready();

export { cases, version } from './tfjs.mjs';

import { run } from './checks.js';

postMessage(await run());

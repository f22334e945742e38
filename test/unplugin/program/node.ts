import { run } from './checks.js';

console.log(JSON.stringify(await run()));

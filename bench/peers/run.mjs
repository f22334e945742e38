/**
 * Runs the cases of one peer: reads a case's name from each line, answers with its milliseconds a call. Promises are awaited;
 * cases that return none are timed without an await.
 */
import { createInterface } from 'node:readline';
import { measure, prepare } from './timing.mjs';

const answer = (line) => process.stdout.write(`${line}\n`);
// Standard output is for answers, so what a library prints goes to standard error.
console.log = console.error;

const made = new Map();

try {
  const { cases, version } = await import(`./${process.argv[2]}.mjs`);
  answer(JSON.stringify({ version, cases: Object.keys(cases) }));
  for await (const name of createInterface({ input: process.stdin })) {
    try {
      if (!made.has(name)) made.set(name, await prepare(cases[name]));
      answer(await measure(made.get(name)));
    } catch (error) {
      made.delete(name);
      answer(`failed ${String(error.message).split('\n')[0]}`);
    }
  }
} catch (error) {
  answer(JSON.stringify({ error: String(error.message).split('\n')[0] }));
}

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The last line written to a stream, which says why a program ended. */
function lastLine(stream) {
  let last = '';
  createInterface({ input: stream }).on('line', (line) => {
    if (line.trim()) last = line.trim();
  });
  return () => last;
}

/** The process of a peer, which runs one case at a time; null, after a line on standard error, if it cannot start. */
export async function start({ id, command = process.execPath, args, env = {} }) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let reason = '';
  child.on('error', (error) => {
    reason = error.message;
  });
  // A program that has ended is noticed by its missing answer.
  child.stdin.on('error', () => {});
  const complaint = lastLine(child.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;

  const first = await next();
  const { version, cases, error } = first ? JSON.parse(first) : { error: reason || complaint() || 'it ended' };
  if (error) {
    console.error(`${id}: not timed, ${error}`);
    return null;
  }
  let ended = false;
  return {
    id,
    version,
    cases: new Set(cases),
    /** Milliseconds a call, or null where there are none. */
    async ask(name) {
      if (ended || !this.cases.has(name)) return null;
      child.stdin.write(`${name}\n`);
      const answer = await next();
      if (answer !== undefined && Number.isFinite(Number(answer))) return Number(answer);
      ended = answer === undefined;
      console.error(`${id}, ${name}: ${ended ? `it ended, ${complaint()}` : answer}`);
      this.cases.delete(name);
      return null;
    },
    stop: () => child.kill(),
  };
}

/**
 * A peer in JavaScript: the file of that name beside this one. Compilation must depend only on its calls, and not on how soon a
 * busy machine gets to it.
 */
export const startModule = (id, module, env) =>
  start({
    id,
    args: ['--no-concurrent-recompilation', fileURLToPath(new URL('run.mjs', import.meta.url)), module],
    env,
  });

/** Two settings of a peer as one, with the faster time for each case; the first alone if the other is null. */
export const faster = (one, other) => ({
  ...one,
  async ask(name) {
    const times = [await one.ask(name), (await other?.ask(name)) ?? null].filter((ms) => ms !== null);
    return times.length > 0 ? Math.min(...times) : null;
  },
  stop() {
    one.stop();
    other?.stop();
  },
});

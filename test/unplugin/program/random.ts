import { enableGrad, inferenceMode, isGradEnabled, noGrad } from '@gradgate/core';

/** A random program, and the mode that each query must find: it depends only on the gates around it in the tree. */
type Step =
  | { kind: 'query' | 'microtask' | 'timer' | 'reject' }
  | { kind: 'gate'; gate: 'noGrad' | 'enableGrad' | 'inferenceMode'; steps: Step[] }
  | { kind: 'call' | 'together' | 'generator'; flows: Step[][] };

function generator(seed: number): (n: number) => number {
  let state = seed * 2654435761 + 1;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

function makeSteps(random: (n: number) => number, depth: number, inference: boolean): Step[] {
  return Array.from({ length: 1 + random(5) }, (): Step => {
    const choice = random(depth > 0 ? 9 : 4);
    if (choice < 4) return { kind: (['query', 'microtask', 'timer', 'reject'] as const)[choice]! };
    if (choice < 6) {
      // enableGrad refuses to be opened in inferenceMode.
      const gate = (['noGrad', 'inferenceMode', 'enableGrad'] as const)[random(inference ? 2 : 3)]!;
      return { kind: 'gate', gate, steps: makeSteps(random, depth - 1, inference || gate === 'inferenceMode') };
    }
    const kind = (['call', 'together', 'generator'] as const)[choice - 6]!;
    const flows = Array.from({ length: kind === 'call' ? 1 : 1 + random(3) }, () =>
      makeSteps(random, depth - 1, inference),
    );
    return { kind, flows };
  });
}

const gates = { noGrad, enableGrad, inferenceMode };

async function runSteps(steps: Step[], expected: boolean, wrong: (what: string) => void): Promise<void> {
  const query = (what: string) => isGradEnabled() === expected || wrong(what);
  for (const step of steps) {
    if (step.kind === 'microtask') await null;
    else if (step.kind === 'timer') await new Promise<void>((resolve) => setTimeout(resolve));
    else if (step.kind === 'reject') await Promise.reject(new Error('wanted')).catch(() => query('in a catch'));
    else if (step.kind === 'gate')
      await gates[step.gate].run(() => runSteps(step.steps, step.gate === 'enableGrad', wrong));
    else if (step.kind === 'call') await runSteps(step.flows[0]!, expected, wrong);
    else if (step.kind === 'together') await Promise.all(step.flows.map((flow) => runSteps(flow, expected, wrong)));
    else if (step.kind === 'generator') {
      const body = noGrad.wrap(async function* () {
        for (const flow of step.flows) {
          await runSteps(
            flow.filter((s) => s.kind !== 'gate'),
            false,
            wrong,
          );
          yield flow.length;
        }
      });
      for await (const _ of body()) query('in a consumer');
    }
    query(`after ${step.kind}`);
  }
}

/** Runs that many random programs concurrently; returns the queries that found a wrong mode. */
export async function randomPrograms(count: number): Promise<string[]> {
  const found: string[] = [];
  const start = (_: unknown, seed: number) =>
    runSteps(makeSteps(generator(seed), 4, false), true, (what) => found.push(`program ${seed}: ${what}`));
  await Promise.all(Array.from({ length: count }, start));
  return found;
}

import { byId } from '../page/dom.js';
import { sourceOf } from '../timeline/source.js';
import { Gated, Switched } from './net.js';
import file from './net.ts?raw';
import { Side } from './side.js';

/** Training and service at once, with a mode that is a field of the model and with one that follows the flow. */
export function startServing(isStarting: boolean): void {
  const [switched, gated] = file.split('export class Gated');
  const sides = [
    new Side('switched', new Switched(), sourceOf(switched!, 'await request;')),
    new Side('gated', new Gated(), sourceOf(gated!, 'yield request;')),
  ];
  const button = byId('serving-toggle');
  let round = 0;
  const set = (runs: boolean) => {
    button.textContent = runs ? 'Pause both' : 'Start both';
    // Each start has a number, so that flows of an earlier one end even if the button is pressed twice in between.
    const own = ++round;
    isRunning = runs;
    if (runs) for (const side of sides) void side.run(() => own === round);
  };
  let isRunning = false;
  button.addEventListener('click', () => set(!isRunning));
  set(isStarting);
}

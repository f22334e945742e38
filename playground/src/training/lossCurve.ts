import { byId } from '../page/dom.js';

const width = 400;
const height = 110;
const points = 300;

/** Draws the loss of all steps so far, thinned out to as many as can be told apart. */
export function drawLossCurve(losses: readonly number[]): void {
  const top = Math.max(0.1, ...pick(losses));
  const shown = pick(losses);
  const x = (i: number) => (shown.length > 1 ? (i / (shown.length - 1)) * width : 0);
  const y = (loss: number) => height - (loss / top) * (height - 4);
  const path = shown.map((loss, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(loss).toFixed(1)}`).join('');
  byId('loss-line').setAttribute('d', path);
  byId('loss-area').setAttribute('d', path && `${path}L${x(shown.length - 1)} ${height}L0 ${height}Z`);
  byId('loss-top').textContent = top.toFixed(2);
  byId('loss-last').textContent = `step ${losses.length}`;
}

/** Evenly spaced entries, including the last one. */
function pick(losses: readonly number[]): number[] {
  const stride = Math.max(1, Math.ceil(losses.length / points));
  const picked = losses.filter((_, i) => i % stride === 0);
  if ((losses.length - 1) % stride !== 0) picked.push(losses.at(-1)!);
  return picked;
}

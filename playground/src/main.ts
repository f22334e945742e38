/** The page: a training run, and the views of it. */
import { startDigits } from './digits/card.js';
import { GraphView } from './graph/view.js';
import { countNodes } from './graph/walk.js';
import type { DataName } from './model/data.js';
import netFile from './model/net.ts?raw';
import { type Switch, switches } from './model/switches.js';
import { Trainer } from './model/trainer.js';
import trainerFile from './model/trainer.ts?raw';
import { chosenDevice, onDevice } from './page/device.js';
import { byId } from './page/dom.js';
import { wantsStillness } from './page/motion.js';
import { onTheme } from './page/theme.js';
import { startServing } from './serving/card.js';
import { forgetCalls, scenes } from './timeline/calls.js';
import { sourceOf } from './timeline/source.js';
import { Timeline } from './timeline/view.js';
import { drawLossCurve } from './training/lossCurve.js';
import { SurfaceView } from './training/surfaceView.js';
import { startWaiting } from './waiting/card.js';

const stepsPerFrame = 2;

const toggle = byId<HTMLButtonElement>('toggle');
const failure = byId('failure');
const sources = scenes.training.map(
  (method) => [method, sourceOf(method === 'step' ? trainerFile : netFile, `note('${method}');`)] as const,
);
const timeline = new Timeline('training', byId('timeline'), new Map(sources), 'step', byId('now'));
const surface = new SurfaceView();
const graph = new GraphView();

let trainer = newTrainer();
let isRunning = false;
let nextFrame = 0;
/** The user's requests, one after another: a GPU takes a while to be ready. */
let turn = Promise.resolve();

function newTrainer(): Trainer {
  const data = byId<HTMLSelectElement>('data').value as DataName;
  const seed = Number(byId<HTMLInputElement>('seed').value) || 0;
  return new Trainer(data, Math.abs(Math.trunc(seed)), chosenDevice());
}

/** Trains `steps` steps, and draws. If the loss has no graph, the message of backward() is shown until a step has one again. */
async function train(steps: number): Promise<void> {
  let problem: unknown = null;
  try {
    for (let i = 0; i < steps; i++) await trainer.step();
  } catch (error) {
    problem = error;
  }
  tell(problem);
  await draw();
}

function tell(problem: unknown): void {
  const said = problem instanceof Error ? `${problem.name}: ${problem.message}` : '';
  // Screen readers read an alert whenever its text is set.
  if (failure.textContent !== said) failure.textContent = said;
  failure.hidden = said === '';
}

async function draw(): Promise<void> {
  const recorded = await surface.draw(trainer.net, trainer.data);
  drawLossCurve(trainer.losses);
  graph.draw(trainer.loss, trainer.net);
  // While it trains, the timeline stays until its last round has been shown.
  if (!isRunning || timeline.isAtEnd) timeline.update();
  byId('step').textContent = String(trainer.losses.length);
  byId('loss').textContent = trainer.losses.at(-1)?.toFixed(4) ?? '–';
  byId('accuracy').textContent = trainer.losses.length ? `${(100 * trainer.accuracy).toFixed(0)}%` : '–';
  byId('nodes').textContent = String(trainer.loss ? countNodes(trainer.loss) : 0);
  byId('surface-nodes').textContent = String(recorded);
}

function inTurn(task: () => Promise<void>): void {
  turn = turn.then(task).catch(tell);
}

function setRunning(running: boolean): void {
  isRunning = running;
  toggle.textContent = running ? 'Pause' : 'Start';
  cancelAnimationFrame(nextFrame);
  if (running) nextFrame = requestAnimationFrame(frame);
}

function frame(): void {
  inTurn(async () => {
    if (isRunning) await train(stepsPerFrame);
    if (isRunning) nextFrame = requestAnimationFrame(frame);
  });
}

function reset(): void {
  inTurn(async () => {
    tell(null);
    forgetCalls('training');
    trainer = newTrainer();
    await draw();
    timeline.update();
  });
}

toggle.addEventListener('click', () => setRunning(!isRunning));
byId('once').addEventListener('click', () => inTurn(() => train(1)));
byId('many').addEventListener('click', () => inTurn(() => train(100)));
byId('reset').addEventListener('click', reset);
byId('data').addEventListener('change', reset);
byId('seed').addEventListener('change', reset);

for (const box of document.querySelectorAll<HTMLInputElement>('input[data-switch]')) {
  const name = box.dataset['switch'] as Switch;
  // A browser may restore the check boxes of the last visit.
  box.checked = switches[name];
  box.addEventListener('change', () => {
    switches[name] = box.checked;
    inTurn(async () => {
      await (isRunning ? train(1) : draw());
      timeline.update();
    });
  });
}

// Whoever asked for less motion starts training by hand.
startServing(!wantsStillness);
startWaiting();
void startDigits();
onDevice(reset);
onTheme(() => inTurn(draw));
setRunning(!wantsStillness);
inTurn(draw);

import { byId } from '../page/dom.js';
import { onTheme } from '../page/theme.js';
import { sourceOf } from '../timeline/source.js';
import { Timeline } from '../timeline/view.js';
import { examples } from './examples.js';
import { toMnist } from './image.js';
import { Pad } from './pad.js';
import { DigitReader } from './reader.js';
import file from './reader.ts?raw';

/** Reads the drawing after each stroke. */
export async function startDigits(): Promise<void> {
  const sources = new Map([['classify', sourceOf(file, "note('classify');")] as const]);
  const timeline = new Timeline('digits', byId('digits-timeline'), sources, 'classify', byId('digits-now'));
  const answer = byId('digit');
  const bars = byId('digit-bars');
  for (let d = 0; d < 10; d++) {
    const bar = document.createElement('li');
    bar.append(document.createElement('i'), String(d));
    bars.append(bar);
  }
  const show = (likely: number[] | null) => {
    [...bars.children].forEach((bar, d) => {
      (bar as HTMLElement).style.setProperty('--likely', String(likely?.[d] ?? 0));
      bar.classList.toggle('best', likely !== null && likely[d] === Math.max(...likely));
    });
    if (!likely) {
      answer.textContent = 'Draw a digit';
      return;
    }
    const best = likely.indexOf(Math.max(...likely));
    answer.textContent = `${best}, ${Math.round(100 * likely[best]!)}% sure`;
  };

  let reader: DigitReader | null = null;
  let due = false;
  const read = () => {
    due = false;
    const image = reader && toMnist(pad.read());
    show(image && reader!.classify(image));
    if (image) timeline.update();
  };
  // Once a frame, however many pointer events it brings.
  const pad = new Pad(() => {
    if (due || !reader) return;
    due = true;
    requestAnimationFrame(read);
  });

  onTheme(() => pad.recolour());
  let next = 3;
  byId('pad-clear').addEventListener('click', () => pad.clear());
  byId('pad-example').addEventListener('click', () => pad.show(examples[next++ % examples.length]!));
  try {
    reader = await DigitReader.load();
    show(null);
    read();
  } catch (error) {
    answer.textContent = `The model could not be loaded: ${(error as Error).message}`;
  }
}

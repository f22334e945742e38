import { byId } from '../page/dom.js';
import { examples } from './examples.js';
import { toMnist } from './image.js';
import { Pad } from './pad.js';
import { DigitReader } from './reader.js';

/** Reads what is drawn at each stroke; `called` is told after each call of the model. */
export async function startDigits(called: () => void): Promise<void> {
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
    if (image) called();
  };
  // However many events of the pointer a frame brings.
  const pad = new Pad(() => {
    if (due || !reader) return;
    due = true;
    requestAnimationFrame(read);
  });

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

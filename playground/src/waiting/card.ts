import { byId } from '../page/dom.js';
import { sourceOf } from '../timeline/source.js';
import { Timeline } from '../timeline/view.js';
import { mode, Service } from './service.js';
import file from './service.ts?raw';

/** The two buttons that show what happens to a mode across an await in this browser. */
export function startWaiting(): void {
  const sources = new Map([['score', sourceOf(file, "note('score');")] as const]);
  const timeline = new Timeline('waiting', byId('waiting-timeline'), sources, 'score', byId('waiting-now'));
  const log = byId('waiting-log');
  const service = new Service();
  const say = (line: string, kind = '') => {
    const item = document.createElement('li');
    item.textContent = line;
    item.className = kind || (line.endsWith(' off') ? 'off' : 'on');
    log.append(item);
    timeline.update();
  };

  byId('waiting-async').addEventListener('click', () => {
    log.replaceChildren();
    try {
      void service.score();
      say('This runtime follows promises: the method is covered.', 'plain');
    } catch (error) {
      say(`${(error as Error).name}: ${(error as Error).message}`, 'error');
    }
  });

  const button = byId<HTMLButtonElement>('waiting-steps');
  button.addEventListener('click', async () => {
    log.replaceChildren();
    button.disabled = true;
    const done = service.scoreInSteps(say);
    say(`its caller, meanwhile: ${mode()}`);
    await done;
    say(`its caller, when it is done: ${mode()}`);
    button.disabled = false;
  });
}

import { type Tensor, tensor } from '@gradgate/core';
import { bar, cell } from '../page/bar.js';
import { byId, svg } from '../page/dom.js';
import { Code } from '../timeline/code.js';
import type { Source } from '../timeline/source.js';
import type { Served } from './net.js';

type Flow = 'step' | 'answer';
interface Event {
  readonly flow: Flow;
  readonly hadDropout: boolean;
  readonly answer: number | null;
}

const kept = 60;
const lane = 26;
const curve = { height: 54, reach: 2.5 };

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A training step needs dropout, an answer must not have any. */
const isWrong = ({ flow, hadDropout }: Event): boolean => hadDropout !== (flow === 'step');

/** One model that trains and serves at once, and what happens to its mode. */
export class Side {
  private readonly events: Event[] = [];
  private readonly counts = { step: 0, answer: 0, wrongStep: 0, wrongAnswer: 0 };
  private readonly picture: SVGSVGElement;
  private readonly words: HTMLElement;
  private readonly code: Code;
  private readonly point: Tensor = tensor([[0.25, 0.3]]);

  constructor(
    id: string,
    private readonly net: Served & { answer(x: Tensor, request: Promise<void>): Promise<number> },
    source: Source,
  ) {
    this.code = new Code(source);
    this.code.element.setAttribute('aria-label', 'How it answers');
    byId(`${id}-code`).append(this.code.element);
    this.picture = byId<SVGSVGElement>(`${id}-picture`);
    this.picture.setAttribute('viewBox', `0 0 ${kept * cell} ${2 * lane + curve.height}`);
    this.words = byId(`${id}-words`);
    this.draw();
  }

  /** Trains in one flow and answers in two others, as long as `goesOn` returns true. */
  async run(goesOn: () => boolean): Promise<void> {
    const train = async () => {
      while (goesOn()) {
        await this.net.trainStep(wait(110));
        this.add({ flow: 'step', hadDropout: this.net.hadDropout, answer: null });
      }
    };
    const serve = async (each: number) => {
      while (goesOn()) {
        await wait(each);
        const answer = await this.net.answer(this.point, wait(90));
        this.add({ flow: 'answer', hadDropout: this.net.hadDropout, answer });
      }
    };
    await Promise.all([train(), serve(140), serve(190)]);
    this.code.light(null);
  }

  private add(event: Event): void {
    this.events.push(event);
    if (this.events.length > kept) this.events.shift();
    this.counts[event.flow]++;
    if (isWrong(event)) this.counts[event.flow === 'step' ? 'wrongStep' : 'wrongAnswer']++;
    this.code.light(event.flow === 'answer' ? (isWrong(event) ? 'off' : 'on') : null);
    this.draw();
  }

  private draw(): void {
    const { step, answer, wrongStep, wrongAnswer } = this.counts;
    this.words.textContent = `${wrongStep} of ${step} steps without dropout, ${wrongAnswer} of ${answer} answers with it`;
    this.picture.setAttribute('aria-label', this.words.textContent);
    const shift = kept - this.events.length;
    this.picture.replaceChildren(
      ...this.events.map((event, i) => eventBar(event, shift + i)),
      svg('path', { class: 'answers', d: this.curve(shift) }),
    );
  }

  /** The answers to the same question over time. */
  private curve(shift: number): string {
    const middle = 2 * lane + curve.height / 2;
    const y = (value: number) => middle - (Math.max(-1, Math.min(1, value / curve.reach)) * curve.height) / 2.2;
    const points = this.events.flatMap(({ answer }, i) =>
      answer === null ? [] : [`${(shift + i + 0.5) * cell} ${y(answer).toFixed(1)}`],
    );
    return points.length ? `M${points.join('L')}` : '';
  }
}

function eventBar(event: Event, column: number): SVGRectElement {
  const name = event.flow === 'step' ? 'a step' : 'an answer';
  const title = `${name} ${event.hadDropout ? 'with' : 'without'} dropout${isWrong(event) ? ': wrong' : ''}`;
  const place = { bottom: event.flow === 'step' ? lane : 2 * lane, height: lane };
  return bar(column, place, event.hadDropout, { class: isWrong(event) ? 'wrong' : 'right' }, title);
}

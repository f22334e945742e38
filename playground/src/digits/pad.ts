import { byId, context2d } from '../page/dom.js';
import { colour, css } from '../page/theme.js';
import type { Drawing } from './image.js';

const size = 168;

/** The canvas to draw on with a mouse, a pen or a finger. */
export class Pad {
  private readonly canvas = byId<HTMLCanvasElement>('pad');
  private readonly context = context2d(this.canvas, size, size, { willReadFrequently: true });
  private isDrawing = false;

  /** `changed` is called after each stroke, or part of one. */
  constructor(private readonly changed: () => void) {
    Object.assign(this.context, { lineWidth: 14, lineCap: 'round', lineJoin: 'round', strokeStyle: ink() });
    this.canvas.addEventListener('pointerdown', (event) => this.start(event));
    this.canvas.addEventListener('pointermove', (event) => this.move(event));
    for (const end of ['pointerup', 'pointercancel'] as const)
      this.canvas.addEventListener(end, () => {
        this.isDrawing = false;
      });
  }

  clear(): void {
    this.context.clearRect(0, 0, size, size);
    this.changed();
  }

  /** Replaces the drawing by an SVG path. */
  show(path: string): void {
    this.context.clearRect(0, 0, size, size);
    this.context.stroke(new Path2D(path));
    this.changed();
  }

  /** Draws the ink in the colour of the dark or light page. */
  recolour(): void {
    const { context } = this;
    Object.assign(context, { strokeStyle: ink(), fillStyle: ink() });
    context.globalCompositeOperation = 'source-in';
    context.fillRect(0, 0, size, size);
    context.globalCompositeOperation = 'source-over';
  }

  read(): Drawing {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    // Ink is opaque, paper is transparent.
    return { ink: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i + 3]!), width, height };
  }

  private start(event: PointerEvent): void {
    this.canvas.setPointerCapture(event.pointerId);
    this.isDrawing = true;
    const [x, y] = this.placeOf(event);
    this.context.beginPath();
    this.context.moveTo(x, y);
    this.lineTo(x, y);
  }

  private move(event: PointerEvent): void {
    if (this.isDrawing) this.lineTo(...this.placeOf(event));
  }

  private lineTo(x: number, y: number): void {
    this.context.lineTo(x, y);
    this.context.stroke();
    this.changed();
  }

  /** The position in the drawing, whatever size the canvas is shown at. */
  private placeOf({ clientX, clientY }: PointerEvent): [number, number] {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [((clientX - left) / width) * size, ((clientY - top) / height) * size];
  }
}

const ink = (): string => css(colour('ink'));

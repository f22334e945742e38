import { countNodes } from '../graph/walk.js';
import type { Points } from '../model/data.js';
import type { Net } from '../model/net.js';
import { byId, context2d } from '../page/dom.js';
import { colour, css, onTheme } from '../page/theme.js';
import { gridOf } from './grid.js';

const size = 300;
const reach = 1.15;
const cells = 75;
const arrows = 13;

const grid = gridOf(cells, reach);
const feet = gridOf(arrows, reach);

const readColours = () => ({
  // The colours of the outputs -1, 0 and 1.
  negative: colour('surface-negative'),
  middle: colour('surface-middle'),
  positive: colour('surface-positive'),
  arrow: css(colour('ink'), 0.45),
  edge: css(colour('paper')),
  circle: css(colour('point-positive')),
  square: css(colour('point-negative')),
});

/** Draws the model's output at each point, its slope, and the training data. */
export class SurfaceView {
  private readonly context = context2d(byId<HTMLCanvasElement>('surface'), size, size);
  private readonly small = document.createElement('canvas');

  private colours = readColours();

  constructor() {
    onTheme(() => {
      this.colours = readColours();
    });
    this.small.width = cells;
    this.small.height = cells;
  }

  /** Returns the number of graph nodes that drawing has recorded: 0 under noGrad. */
  async draw(net: Net, data: Points): Promise<number> {
    const { device } = net.head.weight;
    const { output, slopes } = net.surface(grid.to(device), feet.to(device));
    const [values, steepness] = [await output.detach().data(), await slopes?.data()];
    this.paint(values as Float32Array);
    if (steepness) this.drawArrows(steepness as Float32Array);
    this.drawPoints(data);
    return countNodes(output);
  }

  private paint(output: ArrayLike<number>): void {
    const context = this.small.getContext('2d')!;
    const { negative, middle, positive } = this.colours;
    const image = context.createImageData(cells, cells);
    for (let i = 0; i < output.length; i++) {
      const value = Math.tanh(output[i]! / 2);
      const end = value < 0 ? negative : positive;
      for (let c = 0; c < 3; c++) image.data[i * 4 + c] = middle[c]! + (end[c]! - middle[c]!) * Math.abs(value);
      image.data[i * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    this.context.imageSmoothingQuality = 'high';
    this.context.drawImage(this.small, 0, 0, size, size);
  }

  private drawArrows(slopes: ArrayLike<number>): void {
    const { context } = this;
    const from = feet.toTypedArray();
    context.strokeStyle = this.colours.arrow;
    context.lineWidth = 1;
    context.beginPath();
    for (let i = 0; i < slopes.length; i += 2) {
      const steepness = Math.hypot(slopes[i]!, slopes[i + 1]!);
      if (steepness < 0.02) continue;
      const length = 14 * Math.tanh(steepness / 6);
      const x = toPlot(from[i]!);
      const y = toPlot(-from[i + 1]!);
      const dx = (slopes[i]! / steepness) * length;
      const dy = (-slopes[i + 1]! / steepness) * length;
      context.moveTo(x - dx / 2, y - dy / 2);
      context.lineTo(x + dx / 2, y + dy / 2);
      for (const side of [-1, 1]) {
        context.moveTo(x + dx / 2, y + dy / 2);
        context.lineTo(x + dx / 2 - 0.3 * (dx + side * dy), y + dy / 2 - 0.3 * (dy - side * dx));
      }
    }
    context.stroke();
  }

  private drawPoints({ points, classes }: Points): void {
    const { context } = this;
    const places = points.toTypedArray();
    context.lineWidth = 0.8;
    context.strokeStyle = this.colours.edge;
    classes.toTypedArray().forEach((side, i) => {
      context.beginPath();
      const x = toPlot(places[2 * i]!);
      const y = toPlot(-places[2 * i + 1]!);
      // Squares and circles, for those who cannot tell the colours apart.
      if (side > 0) context.arc(x, y, 3.1, 0, 2 * Math.PI);
      else context.rect(x - 2.6, y - 2.6, 5.2, 5.2);
      context.fillStyle = side > 0 ? this.colours.circle : this.colours.square;
      context.fill();
      context.stroke();
    });
  }
}

const toPlot = (value: number): number => ((value / reach + 1) / 2) * size;

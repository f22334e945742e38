/** A drawing: the ink of each pixel, from 0 to 255. */
export interface Drawing {
  readonly ink: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

const side = 28;
const digit = 20;

/**
 * The drawing as an image like MNIST's: 28 by 28 pixels from 0 to 1, the longer side scaled to 20, the centre of mass in the
 * middle. null if nothing is drawn.
 */
export function toMnist({ ink, width, height }: Drawing): Float32Array | null {
  let [mass, sumX, sumY, left, right, top, bottom] = [0, 0, 0, width, -1, height, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = ink[y * width + x]!;
      if (value === 0) continue;
      mass += value;
      sumX += value * (x + 0.5);
      sumY += value * (y + 0.5);
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  if (mass === 0) return null;
  // Pixels of the drawing for one of the image.
  const step = Math.max(right - left + 1, bottom - top + 1) / digit;
  const image = new Float32Array(side * side);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++)
      image[row * side + column] = average(
        { ink, width, height },
        sumX / mass + (column - side / 2) * step,
        sumY / mass + (row - side / 2) * step,
        step,
      );
  return image;
}

/** The mean of a square of the drawing, from 0 to 1, by 4 by 4 samples. */
function average({ ink, width, height }: Drawing, left: number, top: number, size: number): number {
  const samples = 4;
  let sum = 0;
  for (let i = 0; i < samples; i++)
    for (let j = 0; j < samples; j++) {
      const x = Math.floor(left + ((i + 0.5) / samples) * size);
      const y = Math.floor(top + ((j + 0.5) / samples) * size);
      if (x >= 0 && y >= 0 && x < width && y < height) sum += ink[y * width + x]!;
    }
  return sum / (samples * samples * 255);
}

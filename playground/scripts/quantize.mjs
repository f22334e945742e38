/**
 * Writes a linear layer as bytes, little-endian, for `src/digits/weights.ts`:
 * rows and columns (uint32), the bias (float32), a scale for each row (float32), and the weights divided by it (int8).
 */
export function quantize({ weight, bias }) {
  const [rows, columns] = weight.shape;
  const values = weight.detach().toTypedArray();
  const scales = new Float32Array(rows);
  const bytes = new Int8Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const row = values.subarray(r * columns, (r + 1) * columns);
    scales[r] = row.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127;
    for (let c = 0; c < columns; c++) bytes[r * columns + c] = Math.round(row[c] / (scales[r] || 1));
  }
  const parts = [new Uint32Array([rows, columns]), bias.detach().toTypedArray(), scales, bytes];
  return Buffer.concat(parts.map((p) => Buffer.from(p.buffer, p.byteOffset, p.byteLength)));
}

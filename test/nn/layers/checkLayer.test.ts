import * as nn from '@gradgate/nn';
import { expect, it } from 'vitest';

const options = { numLayers: 2 ** 31 };
it.each<[string, () => nn.Module]>([
  ['RNN', () => new nn.RNN(2, 2, options)],
  ['LSTM', () => new nn.LSTM(2, 2, options)],
  ['GRU', () => new nn.GRU(2, 2, options)],
  ['TransformerEncoder', () => new nn.TransformerEncoder(new nn.TransformerEncoderLayer(2, 1), 2 ** 31)],
  ['TransformerDecoder', () => new nn.TransformerDecoder(new nn.TransformerDecoderLayer(2, 1), 2 ** 31)],
  ['Transformer', () => new nn.Transformer({ numEncoderLayers: 2 ** 31 })],
])('%s counts its layers before it makes them', (name, make) => {
  expect(make).toThrow(
    new RegExp(`^${name}: num\\w*Layers must be a whole number of layers from [01] to 16384, got 2147483648`),
  );
});

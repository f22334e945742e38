import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeText, encodeText } from '../../../../packages/core/src/backend/wasm/text.js';

it('bytes come back from their text, which a string literal in a page can hold', () => {
  const orders = fc.shuffledSubarray([...Array(256).keys()], { minLength: 256 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), orders, (bytes, order) => {
      const text = encodeText(bytes, order);
      expect(text).toMatch(/^[ -~]*$/);
      expect(text).not.toMatch(/['"`\\$<]/);
      expect(decodeText(text, Buffer.from(order).toString('hex'))).toEqual(new Uint8Array(bytes));
    }),
  );
});

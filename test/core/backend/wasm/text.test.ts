import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeText, encodeText, single } from '../../../../packages/core/src/backend/wasm/text.js';

it('bytes come back from their text, which a string literal in a page can hold', () => {
  const frequent = fc.shuffledSubarray([...Array(256).keys()], { minLength: 1, maxLength: single });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), frequent, (bytes, first) => {
      const text = encodeText(bytes, first);
      expect(text).toMatch(/^[ -~]*$/);
      expect(text).not.toMatch(/['"`\\$<]/);
      expect(decodeText(text, Buffer.from(first).toString('hex'))).toEqual(new Uint8Array(bytes));
    }),
  );
});

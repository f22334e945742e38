import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeText, encodeText, single } from '../../../../packages/core/src/backend/wasm/text.js';

it('bytes come back from their text, which a string literal in a page can hold', () => {
  const frequent = fc.subarray([...Array(256).keys()], { minLength: 1, maxLength: single });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), frequent, (bytes, first) => {
      const bits = first.reduce((all, byte) => all | (1n << BigInt(byte)), 0n);
      const digits = [...bits.toString(16).padStart(64, '0')].reverse().join('');
      const text = encodeText(bytes, digits);
      expect(text).toMatch(/^[ -~]*$/);
      expect(text).not.toMatch(/['"`\\$<]/);
      expect(decodeText(text, digits)).toEqual(new Uint8Array(bytes));
    }),
  );
});

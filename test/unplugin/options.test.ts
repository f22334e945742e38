import unplugin from '@gradgate/unplugin/rollup';
import { describe, expect, it } from 'vitest';

describe('options of the plugin', () => {
  it.each([
    [{ asinc: false }, "@gradgate/unplugin: there is no option 'asinc'; there are include, exclude, async, decorators"],
    [{ async: 'no' }, '@gradgate/unplugin: async must be true or false, got string'],
    [
      { include: [3] },
      '@gradgate/unplugin: include must be a regular expression, a glob, or a list of them, got an array',
    ],
    [[], '@gradgate/unplugin: options must be an object, such as { async: false }, got an array'],
    [null, '@gradgate/unplugin: options must be an object, such as { async: false }, got null'],
  ])('%j are refused by name', (options, message) => {
    expect(() => unplugin(options as never)).toThrow(message);
  });

  it('may be left out, each and all', () => {
    for (const options of [undefined, {}, { async: undefined, exclude: [/x/, '*.ts'] }])
      expect(unplugin(options)).toHaveProperty('name', '@gradgate/unplugin');
  });
});

import { parseArgs } from 'node:util';

/** `--name value` options that are numbers, with defaults; whole and above 0 unless the default is a fraction. */
export function numbers<const D extends Record<string, number>>(
  usage: string,
  defaults: D,
): { [K in keyof D]: number } {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, { type: 'string', default: String(value) } as const]),
  );
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h', default: false } } });
  if (values.help) {
    console.log(
      `usage: ${usage} ${Object.entries(defaults)
        .map(([k, v]) => `[--${k} ${v}]`)
        .join(' ')}`,
    );
    process.exit(0);
  }
  return Object.fromEntries(
    Object.entries(defaults).map(([name, fallback]) => {
      const given = (values as Record<string, unknown>)[name];
      const value = Number(given);
      const whole = Number.isInteger(fallback);
      if (!Number.isFinite(value) || (whole && !Number.isInteger(value)) || (name === 'seed' ? false : value <= 0)) {
        console.error(
          `--${name} takes a ${whole ? 'whole ' : ''}number${name === 'seed' ? '' : ' above 0'}, got ${JSON.stringify(given)}`,
        );
        process.exit(2);
      }
      return [name, value];
    }),
  ) as { [K in keyof D]: number };
}

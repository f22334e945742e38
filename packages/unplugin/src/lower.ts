import { type Message, type TransformFailure, type TransformOptions, transform } from 'esbuild';

/** What a build lowers. */
export interface Lowering {
  readonly async: boolean;
  readonly decorators: boolean;
}

interface Lowered {
  code: string;
  map: string;
}

/** Whether a module may contain something to lower; if not, it stays as it is. */
export function mayNeed(code: string, { async, decorators }: Lowering): boolean {
  return (async && /\basync\b/.test(code)) || (decorators && /(^|[\s;{}()])@[\w$(]|\baccessor\b|\busing\b/.test(code));
}

/**
 * esbuild's helpers for async functions that are replaced by ours, which carry the flow. Its other helpers are built on
 * these.
 */
const helpers = { __async: 'asyncFunction', __await: 'Wait', __asyncGenerator: 'asyncGenerator' } as const;
const runtime = '@gradgate/core/lowered';

/** Lowers a module: TypeScript, JSX and all other syntax stay, except what `lowering` selects and `options` change. */
export async function lower(code: string, options: TransformOptions, lowering: Lowering): Promise<Lowered> {
  const { async, decorators } = lowering;
  const marked = new TopLevel(code);
  const run = () =>
    transform(marked.code, {
      ...options,
      target: 'esnext',
      charset: 'utf8',
      sourcemap: 'external',
      supported: {
        ...(decorators && { decorators: false, using: false }),
        ...(async && { 'async-await': false, 'async-generator': false, 'for-await': false }),
      },
    });
  let result: Awaited<ReturnType<typeof run>>;
  try {
    result = await run();
  } catch (error) {
    if (!marked.hide((error as TransformFailure).errors ?? [])) throw error;
    result = await run();
  }
  return { code: marked.show(useOurHelpers(result.code)), map: result.map };
}

/**
 * Replaces esbuild's own helpers by an import of ours, with the same number of lines, so that the source map stays
 * right.
 */
function useOurHelpers(code: string): string {
  const used: (keyof typeof helpers)[] = [];
  let rest = code;
  for (const helper of Object.keys(helpers) as (keyof typeof helpers)[]) {
    if (!new RegExp(`^var ${helper} = `, 'm').test(rest)) continue;
    used.push(helper);
    rest = rest.replace(new RegExp(`^var ${helper} = .*\\{\\n(?:[ }].*\\n)*?\\};\\n`, 'm'), (text) =>
      text.replace(/[^\n]/g, ''),
    );
    if (new RegExp(`^var ${helper} = `, 'm').test(rest))
      throw new Error(
        `@gradgate/unplugin does not know the helper ${helper} of this esbuild; install the version it asks for`,
      );
  }
  if (used.length === 0) return code;
  const isCommonJs =
    !/^(import|export)\b|\bimport\.meta\b/m.test(rest) && /\b(require\(|module\.exports|exports\.)/.test(rest);
  const names = used.map((helper) => `${helpers[helper]}${isCommonJs ? ': ' : ' as '}${helper}`).join(', ');
  return isCommonJs
    ? `var { ${names} } = require("${runtime}");${rest}`
    : `import { ${names} } from "${runtime}";${rest}`;
}

/**
 * esbuild does not lower an `await` outside of functions, and refuses it if it lowers the others. So it is hidden while
 * esbuild runs: an `await` behind operators of the same precedence that nobody writes, and a loop behind a label.
 */
class TopLevel {
  private hidden = 0;
  constructor(public code: string) {}

  private static readonly operators = '~+~+~+~+~';
  private static readonly label = '__gradgateForAwait';

  /** Hides the code that the errors are about; returns false if they are about something else. */
  hide(errors: Message[]): boolean {
    const lines = this.code.split('\n');
    const places = errors.map(({ text, location }) => (/^Top-level await is not/.test(text) ? location : null));
    if (places.length === 0 || places.includes(null)) return false;
    // From the end, so that earlier positions in the same line stay valid. Columns count bytes.
    for (const { line, column } of places.map((p) => p!).sort((a, b) => b.line - a.line || b.column - a.column)) {
      const bytes = Buffer.from(lines[line - 1]!);
      let [before, after] = [bytes.subarray(0, column).toString(), bytes.subarray(column).toString()];
      if (/^for\b\s*await\b/.test(after)) after = after.replace(/^for\b\s*await\b/, `${TopLevel.label}: for`);
      else if (/^await\b/.test(after) && /\bfor\s*$/.test(before)) {
        before = before.replace(/\bfor\s*$/, `${TopLevel.label}: for`);
        after = after.slice('await'.length);
      } else if (/^await\b(?!\s+using\b)/.test(after)) after = after.replace('await', () => TopLevel.operators);
      else return false;
      lines[line - 1] = before + after;
      this.hidden++;
    }
    this.code = lines.join('\n');
    return true;
  }

  show(code: string): string {
    let shown = 0;
    const show = (text: string) => () => {
      shown++;
      return text;
    };
    const { operators, label } = TopLevel;
    const result = code
      .replaceAll(operators, show('await '))
      .replace(new RegExp(`\\b${label}:\\s*for\\b`, 'g'), show('for await'));
    if (shown !== this.hidden)
      throw new Error('an `await` outside of functions cannot be kept here; move it into an async function');
    return result;
  }
}

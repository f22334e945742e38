import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

it('what the compiler says of a condition that is wrong names the way out', () => {
  const folder = mkdtempSync(join(here, 'advice-'));
  const cases: [code: string, says: string][] = [
    ['class A { @noGrad(async () => true) m() {} }', 'the condition must be synchronous'],
    ['class A { @noGrad(() => 1) m() {} }', 'the condition must give true or false'],
    ['class A { @noGrad(true) m() {} }', 'NotADecorator_WriteAConditionInstead'],
    ['class A { @noGrad((x: number) => x > 1) m(y: string) {} }', 'the condition does not fit this member'],
    ["noGrad('x')", 'a gate takes a condition, such as () => flag'],
  ];
  try {
    for (const [i, [code]] of cases.entries())
      writeFileSync(join(folder, `case${i}.ts`), `import { noGrad } from '@gradgate/core/grad';\n${code}\n`);
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../standard/tsconfig.json', include: ['.'] }),
    );
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--noEmit'], { encoding: 'utf8' });
    for (const [i, [, says]] of cases.entries()) {
      const errors = stdout.split(/^(?=\S)/m).filter((e) => e.includes(`case${i}.ts`));
      expect(errors.join('')).toContain(says);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

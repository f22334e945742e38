import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import plugin from '@gradgate/eslint-plugin';
import { describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('./project', import.meta.url));

interface Result {
  filePath: string;
  messages: { ruleId: string; line: number }[];
}

/** What `npx eslint .` says of the project in a folder. */
function lint(eslint: string): Record<string, string[]> {
  const bin = fileURLToPath(new URL(`../../node_modules/${eslint}/bin/eslint.js`, import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [bin, '--format', 'json', '.'], {
    cwd: project,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const results = JSON.parse(stdout) as Result[];
  return Object.fromEntries(
    results.map((r) => [r.filePath.slice(project.length + 1), r.messages.map((m) => `${m.line} ${m.ruleId}`)]),
  );
}

describe.each(['eslint', 'eslint-9'])('%s', (eslint) => {
  it('finds the same in both dialects of decorators, by types', () => {
    const source = readFileSync(`${project}/standard/model.ts`, 'utf8');
    expect(readFileSync(`${project}/legacy/model.ts`, 'utf8')).toBe(source);
    const found = source.split('\n').flatMap((line, i) => {
      const rule = /\/\/ ((no|require|prefer)-[\w-]+)/.exec(line)?.[1];
      return rule ? [`${i + 1} @gradgate/${rule}`] : [];
    });
    expect(new Set(found.map((f) => f.split('/')[1]))).toEqual(new Set(Object.keys(plugin.rules)));
    expect(lint(eslint)).toEqual({
      'eslint.config.js': [],
      'legacy/model.ts': found,
      'standard/model.ts': found,
    });
  });
});

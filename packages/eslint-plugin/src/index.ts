/**
 * ESLint rules for mistakes with gates that the compiler cannot see. With typed linting (`typescript-eslint`), gates
 * are recognized by their type, including those that a program defines; without it, by their import from
 * `@gradgate/...`.
 */
import type { ESLint, Linter } from 'eslint';
import { noAsyncCondition } from './rules/noAsyncCondition.js';
import { noDroppedGate } from './rules/noDroppedGate.js';
import { noScopeAcrossAwait } from './rules/noScopeAcrossAwait.js';
import { preferEvalMode } from './rules/preferEvalMode.js';
import { requireUsing } from './rules/requireUsing.js';

const plugin = {
  meta: { name: '@gradgate/eslint-plugin', namespace: '@gradgate' },
  rules: {
    'no-scope-across-await': noScopeAcrossAwait,
    'require-using': requireUsing,
    'no-dropped-gate': noDroppedGate,
    'no-async-condition': noAsyncCondition,
    'prefer-eval-mode': preferEvalMode,
  },
} satisfies ESLint.Plugin;

const recommended: Linter.Config = {
  name: '@gradgate/recommended',
  plugins: { '@gradgate': plugin },
  rules: Object.fromEntries(Object.keys(plugin.rules).map((rule) => [`@gradgate/${rule}`, 'error'])),
};

type Plugin = typeof plugin & { configs: { recommended: Linter.Config } };

/** The plugin. `configs.recommended` turns on all of its rules. Has itself as `default`, for `require()`. */
const withConfigs: Plugin & { default?: Plugin } = { ...plugin, configs: { recommended } };
withConfigs.default = withConfigs;

export { withConfigs as default, withConfigs as 'module.exports' };

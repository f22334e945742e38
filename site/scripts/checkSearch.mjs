/** Asks the search of the built site what readers ask, as its box does, and throws unless the right page is among the first. */
import { readdirSync } from 'node:fs';
import MiniSearch from 'minisearch';

const expected = {
  'early stopping': 'training',
  'resume training': 'training',
  'gradient accumulation': 'training',
  'learning rate finder': 'training',
  'confusion matrix': 'metrics',
  'missing values': 'tables-images-text',
  parquet: 'tables-images-text',
  'frozen backbone': 'recipes/fine-tuning',
  'hugging face': 'saving-and-loading',
  safetensors: 'saving-and-loading',
  checkpoints: 'saving-and-loading',
  AsyncLocalStorage: 'async-and-generators',
  'conditions of noGrad': 'grad-modes',
  'legacy decorators': 'decorators',
  'serve while training': 'training-and-serving',
  nestjs: 'recipes/serving',
  'stop worker': 'recipes/vite-worker',
  slurm: 'distributed',
  jest: 'testing',
  'export onnx': 'onnx',
  'memory leak': 'memory-and-threads',
  'tidy dispose': 'coming-from-tensorflow',
};

const chunks = new URL('../dist/assets/chunks/', import.meta.url);
const file = readdirSync(chunks).find((name) => name.startsWith('@localSearchIndex'));
const { default: index } = await import(new URL(file, chunks));
// The options of VitePress's search box.
const search = MiniSearch.loadJSON(index, {
  fields: ['title', 'titles', 'text'],
  storeFields: ['title', 'titles'],
  searchOptions: { fuzzy: 0.2, prefix: true, boost: { title: 4, text: 2, titles: 1 } },
});

const first = 5;
const lost = Object.entries(expected).flatMap(([words, page]) => {
  const pages = [...new Set(search.search(words).map(({ id }) => id.replace(/^\/|\.html.*$/g, '')))];
  const at = pages.indexOf(page);
  return at >= 0 && at < first
    ? []
    : [`'${words}' finds ${page} at ${at + 1}, behind ${pages.slice(0, first).join(', ')}`];
});
if (lost.length > 0) throw new Error(`the search:\n${lost.join('\n')}`);
console.log(`${Object.keys(expected).length} searches find their pages`);

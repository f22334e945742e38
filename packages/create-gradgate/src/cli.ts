import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { createProject, type Template, templates } from './create.js';

const usage = `usage: npm create gradgate@latest my-model [-- --template ${templates.join('|')}]

  -t, --template NAME  node: a program for Node (by default), vite: a page, nest: a server that trains and predicts at once`;

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { template: { type: 'string', short: 't', default: 'node' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new TypeError('give exactly one folder');
  const files = createProject(folder, { template: values.template as Template });
  console.log(`wrote ${files.join(', ')}\n\n  cd ${relative('', folder) || '.'}\n  npm install\n  npm start`);
}

try {
  main();
} catch (error) {
  console.error(`create-gradgate: ${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}

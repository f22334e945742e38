import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, it } from 'vitest';
import { packForTest, root } from './pack.js';

/** What `@arethetypeswrong/core` finds in packages that are right for what they support, and why it may. */
const expected: Record<string, string> = {
  'CJSResolvesToESM node16-cjs': 'ES modules only; every supported Node lets CommonJS code require them',
  'NoResolution node10': 'this resolution is older than `exports`: it finds the main entry of a package only',
};

describe.each(readdirSync(join(root, 'packages')))('packages/%s', (name) => {
  const folder = join(root, 'packages', name);
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const contents = () => {
    const files = createPackageFromTarballData(readFileSync(packForTest(name)));
    return { files, paths: files.listFiles().map((f) => f.replace(/^\/node_modules\/(@gradgate\/)?[\w-]+\//, '')) };
  };

  it('has nothing that publint would tell of', async () => {
    const { messages } = await publint({ pkgDir: folder, pack: 'npm', level: 'suggestion', strict: true });
    const pkg = JSON.parse(read('package.json'));
    expect(messages.map((m) => formatMessage(m, pkg))).toEqual([]);
  });

  it('has types that every resolution finds which finds the module', async () => {
    const result = await checkPackage(contents().files);
    if (!result.types) throw new Error('no types at all');
    const found = result.problems.map((p) => ('resolutionKind' in p ? `${p.kind} ${p.resolutionKind}` : p.kind));
    const hasOthers = Object.keys(JSON.parse(read('package.json')).exports).length > 2;
    const known = Object.keys(expected).filter((kind) => hasOthers || !kind.endsWith('node10'));
    expect([...new Set(found)].sort()).toEqual(known);
  });

  it('ships the build, the README, the licence and nothing else', () => {
    const { paths, files } = contents();
    const program = ['gradgate', 'create-gradgate'].includes(name) ? [`bin/${name}.js`] : [];
    const others = ['CHANGELOG.md', 'LICENSE', 'README.md', ...program, 'package.json'];
    // Binaries are there where somebody has built them.
    const rest = paths.filter(
      (p) =>
        !p.startsWith('dist/') &&
        !(name === 'native' && /^prebuilds\/[\w-]+\.node$/.test(p)) &&
        !(name === 'create-gradgate' && p.startsWith('templates/')),
    );
    expect(rest.sort()).toEqual(others);
    expect(paths.filter((p) => p.startsWith('dist/') && !/\.(js|js\.map|d\.ts)$/.test(p))).toEqual([]);
    expect(paths.filter((p) => /\btests?\b|\.test\./.test(p))).toEqual([]);
    // Each module is there and has its types.
    const stems = (end: RegExp) =>
      paths.filter((p) => p.startsWith('dist/') && end.test(p)).map((p) => p.replace(end, ''));
    expect(stems(/\.js$/).sort()).toEqual(stems(/\.d\.ts$/).sort());
    const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' });
    const modules = sources.filter((f) => f.endsWith('.ts')).map((f) => `dist/${f.replaceAll('\\', '/').slice(0, -3)}`);
    expect(modules.filter((m) => !paths.includes(`${m}.js`))).toEqual([]);
    // Debuggers and traces show the sources, which are in the maps.
    const own = files.listFiles();
    for (const module of modules) {
      const map = JSON.parse(files.readFile(own.find((f) => f.endsWith(`/${module}.js.map`))!));
      expect(map.sourcesContent, module).toHaveLength(map.sources.length);
    }
    expect(stems(/\.js\.map$/).sort()).toEqual(stems(/\.js$/).sort());
    // Nothing absolute of the machine that built it.
    expect(own.filter((f) => files.readFile(f).includes(root))).toEqual([]);
  });

  it('says in package.json and README what it is', () => {
    const pkg = JSON.parse(read('package.json'));
    expect(pkg).toMatchObject({ license: 'MIT', type: 'module', engines: { node: '>=20.19' } });
    const repository = 'https://github.com/gradgate/gradgate';
    expect(pkg).toMatchObject({
      homepage: `${repository}#readme`,
      bugs: { url: `${repository}/issues` },
      repository: { type: 'git', url: `git+${repository}.git`, directory: `packages/${name}` },
    });
    // A registry shows the README where no file is beside it.
    for (const [, link] of read('README.md').matchAll(/\]\(([^)]*)\)/g)) {
      expect(link).toMatch(/^https:/);
      const [, file] = /gradgate\/(?:blob|tree)\/main\/([^#]*)/.exec(link!) ?? [];
      if (file !== undefined) expect(existsSync(join(root, file)), link).toBe(true);
    }
    expect(pkg.publishConfig).toEqual({ access: 'public' });
    expect(pkg.keywords.length).toBeGreaterThan(4);
    // Core puts methods on tensors, native and openblas set kernels when they are imported; the others can be shaken.
    expect(pkg.sideEffects).toBe(['core', 'native', 'openblas'].includes(name));
    for (const [entry, target] of Object.entries<object | string>(pkg.exports))
      if (entry !== './package.json') expect(Object.keys(target)).toEqual(['types', 'default']);
    expect(read('README.md')).toMatch(new RegExp(`^# (@gradgate/)?${name}\n[\\s\\S]*npm install [\\s\\S]*\`\`\`ts\n`));
    expect(read('LICENSE')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
  });
});

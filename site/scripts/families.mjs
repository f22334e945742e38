/** Typedoc's kinds of functions and classes, and the folders of the reference with their pages. */
const folders = { 32: 'variables', 64: 'functions', 128: 'classes' };
const nested = (kind) => kind === 2 || kind === 4; // a module or a namespace

/** The first sentence of a declaration's docstring, on one line. */
function firstSentence({ comment, signatures }) {
  const summary = (comment ?? signatures?.find((s) => s.comment)?.comment)?.summary ?? [];
  const text = summary.map((part) => part.text).join('');
  const [first] = text
    .split('```')[0]
    .replaceAll(/\s+/g, ' ')
    .trim()
    .split(/(?<=[.;])\s/);
  // A bar would end the table cell; a tag or braces would be read as a template.
  return first.replaceAll('|', '\\|').replace(/[.;]$/, '');
}

/** The family of a declaration: the file of its operators or layers, else the folder of its file. */
function familyOf({ sources }, namespaces) {
  const [, path] = /src\/(.*)\.ts$/.exec(sources?.[0]?.fileName ?? '') ?? [];
  const parts = (path ?? '')
    .split('/')
    .filter((part) => !['ops', 'layers', 'functions', 'index', ...namespaces].includes(part));
  return (parts[0] ?? '').replaceAll(/(?<=[a-z])[A-Z]/g, (c) => ` ${c.toLowerCase()}`);
}

const byName = (a, b) => a.name.localeCompare(b.name);

/** The declarations of a package, or of a namespace in it, by the titles of their families. */
function collect(packageName, { children = [] }, path = [], found = new Map()) {
  // If a package has several entry points, its own exports come from `index`.
  const namespaces = path.filter((name) => name !== 'index');
  for (const each of [...children].sort(byName)) {
    if (nested(each.kind)) collect(packageName, each, [...path, each.name], found);
    if (!(each.kind in folders)) continue;
    const title = [...namespaces, familyOf(each, namespaces)].filter(Boolean).join(': ') || packageName;
    const file = [packageName.replaceAll(/[@/]/g, '_'), ...path, each.name].join('.');
    const line = `| [${each.name}](/reference/${folders[each.kind]}/${file}.html){target="_self"} | ${firstSentence(each)} |`;
    found.set(title, [...(found.get(title) ?? []), line]);
  }
  return found;
}

/**
 * Turns typedoc's JSON of all packages into pages: for each package its functions, classes and values by family, with one line
 * each.
 */
export function familyPages(project) {
  return [...project.children].map((each) => {
    const families = [...collect(each.name, each)].sort(([a], [b]) => a.localeCompare(b));
    const sections = families.map(
      ([title, lines]) => `## ${title[0].toUpperCase()}${title.slice(1)}\n\n| | |\n|---|---|\n${lines.join('\n')}\n`,
    );
    const reference = `[reference](/reference/modules/${each.name.replaceAll(/[@/]/g, '_')}.html){target="_self"}`;
    return {
      params: { package: each.name.replace('@gradgate/', ''), name: each.name },
      content: `# ${each.name}\n\nEach name leads to its page in the ${reference}, which has the types as well.\n\n${sections.join('\n')}`,
    };
  });
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as core from '@gradgate/core';
import * as nn from '@gradgate/nn';

/** Not to be called: they change the state of all later calls, write to the terminal, or start something that does not end. */
const excluded =
  /\.(setProductBackend|setNumThreads|setReporter|setDevelopmentMode|setGradEnabled|registerBackend|openblas|showProgress|progress|workerDataset|observeGradModes|destroy|world|registerKl|default.raw|default.bun)$|distributed\.init$|train\.(SummaryWriter|JsonLines)$|noSync\.enter$/;

const packages = new URL('../../packages/', import.meta.url);

export const isClass = (value) =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));

/**
 * What to call: each function, class, method and gate that the packages export, by name. A method is listed once, under the
 * class that defines it, and is called on instances of any class that inherits it. Members that the sources mark private,
 * protected or internal are left out, since no program may call them.
 */
export async function targets() {
  const found = [];
  const hidden = hiddenMembers();
  const classes = new Set();
  for (const folder of readdirSync(packages)) {
    const { name, exports = {} } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, packages), 'utf8'));
    for (const [entry, target] of Object.entries(exports)) {
      const file = target.default ?? target.import;
      if (!file?.endsWith('.js') || /internal|register/.test(entry)) continue;
      const module = await import(pathToFileURL(join(packages.pathname, folder, file)).href);
      walk(entry === '.' ? name : `${name}/${entry.slice(2)}`, module, { found, classes, hidden, seen: new Set() });
    }
  }
  const owners = new Set();
  for (const type of classes) if (type !== core.Tensor) addMethods(found, { classes, hidden, owners }, type);
  for (const method of Object.getOwnPropertyNames(core.Tensor.prototype))
    if (method !== 'constructor' && !hidden.has(`Tensor.${method}`))
      found.push({ name: `Tensor.${method}`, on: 'tensor', method, fn: ofTensor(method) });
  return { targets: found.filter((t) => !excluded.test(t.name)), classes };
}

/** The function behind a method of tensors, which takes the tensor first. */
const ofTensor = (method) => core[method] ?? core[method.replace(/_$/, '')];

function walk(path, module, context) {
  const { found, classes, hidden, seen } = context;
  for (const [key, value] of Object.entries(module)) {
    const name = `${path}.${key}`;
    // Functions that nn.functional re-exports are called as core's.
    if (seen.has(value) || (path.endsWith('functional') && core[key] === value)) continue;
    seen.add(value);
    if (isClass(value)) {
      if (classes.has(value)) continue;
      classes.add(value);
      value.fuzzName = name;
      // Errors without a constructor of their own are constructed like JavaScript's.
      const plain = value.prototype instanceof Error && constructorText(value) === '()';
      if (!plain && !hidden.has(`${value.name}.constructor`)) found.push({ name, on: 'class', value });
      for (const method of Object.getOwnPropertyNames(value))
        if (typeof value[method] === 'function' && !isClass(value[method]) && value !== core.Tensor)
          found.push({ name: `${name}.${method}`, on: 'object', value, method });
    } else if (typeof value === 'function') {
      found.push({ name, on: 'function', value });
      addFunctions(found, name, value);
    } else if (value?.[Symbol.toStringTag] === 'Module') walk(name, value, context);
    else if (typeof value === 'object' && value !== null) addFunctions(found, name, value);
  }
}

/** The functions that are properties of an object, such as `noGrad.run`. */
function addFunctions(found, name, value) {
  for (const method of Object.getOwnPropertyNames(value))
    if (typeof value[method] === 'function' && method !== 'prototype' && method !== 'original')
      found.push({ name: `${name}.${method}`, on: 'object', value, method });
}

const iterators = [Symbol.iterator, Symbol.asyncIterator];

/** The methods of a class, including those of base classes that are not exported. */
function addMethods(found, { classes, hidden, owners }, type) {
  for (let p = type.prototype; p !== Object.prototype; p = Object.getPrototypeOf(p)) {
    const owner = p.constructor;
    if (owner !== type && (classes.has(owner) || owner === Function || owner === Error)) break;
    if (owner === core.Tensor || p === Function.prototype || p === Error.prototype || owners.has(owner)) break;
    owners.add(owner);
    const heirs = [...classes].filter((c) => c.prototype === p || Object.prototype.isPrototypeOf.call(p, c.prototype));
    for (const method of [...Object.getOwnPropertyNames(p), ...iterators.filter((i) => Object.hasOwn(p, i))])
      if (method === 'constructor') continue;
      else if (typeof method === 'symbol')
        found.push({ name: `${type.fuzzName}.${method.description}`, on: 'instance', heirs, method });
      else if (!hidden.has(`${owner.name}.${method}`) && !hidden.has(`${type.name}.${method}`))
        found.push({ name: `${type.fuzzName}.${method}`, on: 'instance', heirs, method });
  }
}

/** The members that the sources mark private, protected or internal: `Module.x`. */
function hiddenMembers() {
  const hidden = new Set();
  for (const folder of readdirSync(packages)) {
    const src = new URL(`${folder}/src/`, packages);
    // Declaration files lack internal members.
    for (const file of readdirSync(src, { recursive: true }))
      if (file.endsWith('.ts')) readHidden(readFileSync(new URL(file, src), 'utf8'), hidden);
    const dist = new URL(`${folder}/dist/`, packages);
    for (const file of readdirSync(dist, { recursive: true }))
      if (file.endsWith('.d.ts')) {
        const text = readFileSync(new URL(file, dist), 'utf8');
        for (const [, name, list] of text.matchAll(
          /^export declare (?:function|const) (\w+)(?:: )?(?:<[^(]*>)?(\(.*)/gm,
        ))
          declared.set(name, namesIn(list));
      }
  }
  return hidden;
}

function readHidden(text, hidden) {
  let type = '';
  let comment = '';
  for (const line of text.split('\n')) {
    const declared = /^(?:export )?(?:declare )?(?:abstract )?class (\w+)/.exec(line);
    if (declared) type = declared[1];
    else if (/^\s*\/?\*/.test(line)) comment += line;
    else {
      const member = /^ {2}(?:(?:private|protected|abstract|static|readonly|override|async|get|set) |\*)*(\w+)/.exec(
        line,
      );
      if (member && (/^ {2}(private|protected)/.test(line) || comment.includes('@internal')))
        hidden.add(`${type}.${member[1]}`);
      comment = '';
    }
  }
}

/** The names of the parameters of functions, as their declarations have them. */
const declared = new Map();

const parametersOf = new Map();
/** The parameter names of a function, from its source text; they say which values fit. */
export function parameters(fn) {
  let names = parametersOf.get(fn);
  if (names) return names;
  const text = isClass(fn) ? constructorText(fn) : Function.prototype.toString.call(fn);
  names = namesIn(text.replaceAll(/\/\*.*?\*\//gs, ''));
  // A layer made from a function takes the function's parameters after the tensor, and so does a method of tensors.
  const own = isClass(fn) ? nn.functional[fn.name.charAt(0).toLowerCase() + fn.name.slice(1)] : undefined;
  if (own && names[0]?.startsWith('...')) names = parameters(own).slice(1);
  // The text of a wrapped function does not have them.
  if (names[0] === '...args') names = declared.get(fn.name) ?? names;
  parametersOf.set(fn, names);
  return names;
}

function constructorText(type) {
  for (let c = type; isClass(c); c = Object.getPrototypeOf(c)) {
    const text = /\n\s*constructor\s*(\([\s\S]*)/.exec(Function.prototype.toString.call(c))?.[1];
    if (text) return text;
  }
  return '()';
}

function namesIn(text) {
  const start = text.indexOf('(');
  if (start < 0 || /^(async )?\w+\s*=>/.test(text)) return [/^(?:async )?(\w+)/.exec(text)?.[1] ?? 'x'];
  const names = [];
  let part = '';
  let depth = 0;
  for (const c of text.slice(start + 1)) {
    if ('([{'.includes(c)) depth++;
    if (')]}'.includes(c)) depth--;
    if (depth >= 0 && (c !== ',' || depth > 0)) part += c;
    else {
      const name = /^\s*\{/.test(part)
        ? 'options'
        : part
            .replaceAll(/\/\/.*\n/g, '')
            .split(/[=?:]/)[0]
            .trim();
      if (name) names.push(name);
      part = '';
      if (depth < 0) break;
    }
  }
  return names;
}

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** Serves the modules of a folder, and an empty page. */
async function serve(folder) {
  const server = createServer(async ({ url }, answer) => {
    const file = /^\/([\w-]+\.mjs)$/.exec(url)?.[1];
    const body = file ? await readFile(join(folder, file)).catch(() => null) : '<!doctype html><title>bench</title>';
    answer.writeHead(body === null ? 404 : 200, { 'Content-Type': file ? 'text/javascript' : 'text/html' });
    answer.end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/** Runs in the page: loads the module and makes its cases callable. */
async function load(name) {
  const [{ cases, version }, { measure, prepare }] = await Promise.all([import(`/${name}.mjs`), import('/timing.mjs')]);
  const made = new Map();
  globalThis.ask = async (name) => {
    if (!made.has(name)) made.set(name, await prepare(cases[name]));
    return measure(made.get(name));
  };
  return { version, names: Object.keys(cases) };
}

/** The libraries with modules in a folder, each in a page of its own in one Chromium. */
export async function inChromium(folder, libraries, isSoftware) {
  const site = await serve(folder);
  const software = ['--use-webgpu-adapter=swiftshader'];
  const hardware = ['--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist'];
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-unsafe-webgpu', ...(isSoftware ? software : hardware)],
  });
  const peers = [];
  for (const id of libraries) {
    const page = await browser.newPage();
    await page.goto(site.url);
    try {
      const { version, names } = await page.evaluate(load, id);
      peers.push({
        id,
        version,
        async ask(name) {
          if (!names.includes(name)) return null;
          try {
            return await page.evaluate((name) => globalThis.ask(name), name);
          } catch (error) {
            console.error(`${id}, ${name}: ${String(error.message).split('\n')[0]}`);
            names.splice(names.indexOf(name), 1);
            return null;
          }
        },
      });
    } catch (error) {
      console.error(`${id}: not timed, ${String(error.message).split('\n')[0]}`);
    }
  }
  const version = `Chromium ${browser.version()}`;
  const close = async () => {
    await browser.close();
    site.close();
  };
  return { peers, version, close };
}

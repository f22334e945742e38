import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const configFile = fileURLToPath(new URL('../../playground/vite.config.ts', import.meta.url));

export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** The headers with which a page may share memory with workers. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Builds the page in a folder with the playground's configuration, and serves it with these headers. */
export async function serve(folder: URL, headers: Record<string, string> = {}): Promise<Site> {
  const outDir = mkdtempSync(join(tmpdir(), 'gradgate-site-'));
  const common = { root: fileURLToPath(folder), configFile, logLevel: 'warn' as const };
  await build({ ...common, build: { outDir, emptyOutDir: true } });
  const server = await preview({
    ...common,
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0, headers },
  });
  return {
    url: server.resolvedUrls!.local[0]!,
    async close() {
      await server.close();
      rmSync(outDir, { recursive: true });
    },
  };
}

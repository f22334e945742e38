// The GPU of this machine, used in Node through the package `webgpu`. Without a driver for one, SwiftShader, which is part of
// Debian's Chromium, computes on the CPU.
import { existsSync } from 'node:fs';
import { device } from '../../packages/webgpu/src/index.js';
import { need } from '../needs.js';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** The device's name, or undefined after a line that says which tests are skipped and why. */
export async function needGpu(tests: string): Promise<'webgpu' | undefined> {
  if (!process.env['VK_ICD_FILENAMES'] && existsSync(swiftShader)) process.env['VK_ICD_FILENAMES'] = swiftShader;
  let why = '';
  const found = await device('webgpu').catch((error: Error) => {
    why = error.message;
    return undefined;
  });
  return need(found, tests, why);
}

/** Dawn's null backend, which allocates and checks as a GPU does and computes nothing; undefined as for `needGpu`. */
export async function needNullGpu(tests: string): Promise<'webgpu' | undefined> {
  const found = await device('webgpu', { flags: ['backend=null'] }).catch(() => undefined);
  return need(found, tests, 'the package webgpu is not installed');
}

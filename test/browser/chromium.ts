import { type Browser, chromium } from 'playwright-core';

/** Without the sandbox and shared memory, which containers may lack. */
export const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

import { type Browser, chromium } from 'playwright-core';

/** Without its sandbox and shared memory, neither of which containers always have. */
export const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

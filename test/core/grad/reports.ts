import { gradModeStack, isGradEnabled, setReporter } from '@gradgate/core';
import { afterEach, beforeEach, expect } from 'vitest';

/** What was reported in the running test of the file that calls this; no test of it may leave a mode behind. */
export function collectReports(): readonly string[] {
  const reports: string[] = [];
  beforeEach(() => {
    reports.length = 0;
    setReporter((message) => reports.push(message));
  });
  afterEach(() => {
    setReporter(null);
    expect([isGradEnabled(), gradModeStack()]).toEqual([true, []]);
  });
  return reports;
}

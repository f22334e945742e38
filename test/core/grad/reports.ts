import { gradModeStack, isGradEnabled, setReporter } from '@gradgate/core';
import { afterEach, beforeEach, expect } from 'vitest';

/** The reports during the current test of the calling file; none of its tests may leave a mode behind. */
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

/** Whether the reader asked the system for less motion. */
export const wantsStillness = matchMedia('(prefers-reduced-motion: reduce)').matches;

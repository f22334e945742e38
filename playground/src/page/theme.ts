/** A custom property of the page's style as red, green and blue, in the current colour scheme. */
export function colour(name: string): [number, number, number] {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const [r, g, b] = getComputedStyle(probe)
    .color.match(/[\d.]+/g)!
    .map(Number);
  probe.remove();
  return [r!, g!, b!];
}

export const css = ([r, g, b]: readonly number[], alpha = 1): string => `rgb(${r} ${g} ${b} / ${alpha})`;

/** Calls `changed` whenever the page turns dark or light. */
export function onTheme(changed: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

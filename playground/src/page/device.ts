import { byId } from './dom.js';

const choice = byId<HTMLSelectElement>('device');
const note = byId('device-note');

let device = 'cpu';

/** The device of the network: the CPU until a GPU has been found. */
export const chosenDevice = (): string => device;

/**
 * Calls `changed` when another device has been chosen and is ready; if it is not available, the page says why and stays on the
 * CPU.
 */
export function onDevice(changed: () => void): void {
  // A browser may restore the choice of the last visit.
  choice.value = 'cpu';
  choice.addEventListener('change', async () => {
    device = 'cpu';
    note.textContent = '';
    if (choice.value === 'webgpu')
      try {
        // Loaded only on demand.
        const webgpu = await import('@gradgate/webgpu');
        device = await webgpu.device('webgpu');
        note.textContent = 'On the GPU. A network as small as this one is faster on the CPU.';
      } catch (error) {
        note.textContent = (error as Error).message;
        choice.value = 'cpu';
      }
    changed();
  });
}

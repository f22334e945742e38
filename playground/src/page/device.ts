import { byId } from './dom.js';

const choice = byId<HTMLSelectElement>('device');
const note = byId('device-note');

let device = 'cpu';

/** Where the network is trained: the CPU until a GPU has been found. */
export const chosenDevice = (): string => device;

/** Calls `changed` when another device has been chosen and is there; where it is not, the page says why and stays on the CPU. */
export function onDevice(changed: () => void): void {
  // A browser may keep the choice of the last visit.
  choice.value = 'cpu';
  choice.addEventListener('change', async () => {
    device = 'cpu';
    note.textContent = '';
    if (choice.value === 'webgpu')
      try {
        // Fetched for those who ask for it.
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

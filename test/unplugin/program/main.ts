import { run } from './checks.js';

declare global {
  interface Window {
    inPage: Promise<Record<string, string>>;
    inWorker: Promise<Record<string, string>>;
  }
}

window.inPage = run();
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
window.inWorker = new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
});

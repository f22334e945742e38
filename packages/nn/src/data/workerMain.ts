import { builtin } from '../builtin.js';
import type { Dataset } from './dataset.js';
import { type Answer, pack } from './worker.js';

// The program of a data worker: makes the dataset, then answers with samples.

interface Parent {
  workerData: { module: string; data: unknown };
  parentPort: { postMessage(answer: Answer): void; on(event: 'message', listener: (question: Question) => void): void };
}
interface Question {
  id: number;
  indices: number[];
}

const { workerData, parentPort } = builtin<Parent>('node:worker_threads')!;
const failure = (error: unknown): string => (error instanceof Error ? error.message : String(error));

try {
  const { default: make } = (await import(workerData.module)) as { default?: unknown };
  if (typeof make !== 'function')
    throw new TypeError(`the default export of ${workerData.module} is not a function that makes a dataset`);
  const dataset: Dataset<unknown> = await make(workerData.data);
  parentPort.on('message', async ({ id, indices }) => {
    try {
      const samples = await Promise.all(indices.map(async (i) => dataset.get(i)));
      parentPort.postMessage({ id, value: samples.map(pack) });
    } catch (error) {
      parentPort.postMessage({ id, error: failure(error) });
    }
  });
  parentPort.postMessage({ id: -1, value: dataset.length });
} catch (error) {
  parentPort.postMessage({ id: -1, error: failure(error) });
}

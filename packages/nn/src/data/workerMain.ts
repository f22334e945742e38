import { builtin, is, show } from '@gradgate/core/internal';
import { isStateful } from '../stateful.js';
import { asMapped, type Dataset, loadMany } from './dataset.js';
import { type Packed, pack, unpack } from './pack.js';
import type { WorkerRequest, WorkerResponse } from './worker.js';

// The program of a data worker: makes the dataset, then answers requests for samples.

interface Parent {
  workerData: { module: string; data: Packed };
  parentPort: {
    postMessage(answer: WorkerResponse): void;
    on(event: 'message', listener: (request: WorkerRequest) => void): void;
  };
}

const { workerData, parentPort } = builtin<Parent>('node:worker_threads')!;

/** What was thrown, which may be any value, in a form that can be sent. */
function failure(error: unknown): NonNullable<WorkerResponse['error']> {
  if (!(error instanceof Error)) return { name: '', message: `${show(error)} was thrown`, stack: undefined };
  return { name: String(error.name), message: String(error.message), stack: error.stack };
}

/** The error of a state that could not be restored, if any: the next samples would not be those that follow it. */
let refused: unknown[] = [];

async function answer(dataset: Dataset<unknown>, request: WorkerRequest): Promise<void> {
  if ('state' in request) {
    try {
      if (isStateful(dataset)) dataset.loadStateDict(unpack(request.state));
    } catch (error) {
      refused = [error];
    }
    return;
  }
  const { id, indices } = request;
  try {
    if (refused.length > 0) throw refused[0];
    const samples = await loadMany('workerDataset', dataset, indices);
    const state = isStateful(dataset) ? pack(dataset.stateDict()) : null;
    parentPort.postMessage({ gradgate: id, value: { samples: pack(samples), state } });
  } catch (error) {
    parentPort.postMessage({ gradgate: id, error: failure(error) });
  }
}

try {
  const { default: make } = (await import(workerData.module)) as { default?: unknown };
  if (typeof make !== 'function')
    throw new TypeError(`the default export of ${workerData.module} is not a function that makes a dataset`);
  const dataset = asMapped<unknown>(`the default export of ${workerData.module}`, await make(unpack(workerData.data)));
  const { length } = dataset;
  if (!is.size.is(length)) throw new TypeError(`the dataset's length is ${show(length)}`);
  // One request after another, so that each answer has the state after its samples.
  let last = Promise.resolve();
  const inTurn = (request: WorkerRequest) => {
    last = last.then(() => answer(dataset, request));
  };
  parentPort.on('message', (request) => (isStateful(dataset) ? inTurn(request) : void answer(dataset, request)));
  parentPort.postMessage({ gradgate: -1, value: { length } });
} catch (error) {
  parentPort.postMessage({ gradgate: -1, error: failure(error) });
}

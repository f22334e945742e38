import { noGrad, tensor, unpackTensor } from '@gradgate/core';
import type { Message } from './messages.js';

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const worker = new Worker(new URL('./train.worker.ts', import.meta.url), { type: 'module' });

element<HTMLButtonElement>('stop').onclick = () => worker.postMessage('stop');

worker.onmessage = ({ data }: MessageEvent<Message>) => {
  if (data.kind === 'epoch') element('loss').textContent = `epoch ${data.epoch}, loss ${data.loss.toFixed(4)}`;
  if (data.kind === 'epoch') return;
  element<HTMLButtonElement>('stop').disabled = true;
  const [weight, bias] = [unpackTensor(data.weight), unpackTensor(data.bias)];
  const predict = noGrad.wrap((at: number) =>
    tensor([[at]])
      .matmul(weight.t())
      .add(bias)
      .item(),
  );
  const button = element<HTMLButtonElement>('predict');
  button.disabled = false;
  button.onclick = () => {
    element('answer').textContent = predict(3).toFixed(2);
  };
};

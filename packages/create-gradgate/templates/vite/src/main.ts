import { manualSeed } from '@gradgate/core';
import { Net, train } from './model.js';

manualSeed(0);
const net = new Net();
const log = document.querySelector('#log')!;
log.textContent = `loss ${train(net, 300)}\npredictions ${JSON.stringify(net.predict())}`;

import { manualSeed } from '@gradgate/core';
import { Net, train } from './model.js';

manualSeed(0);
const net = new Net();
console.log('loss', train(net, 300));
console.log('predictions', net.predict());

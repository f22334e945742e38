import { check } from '../check.js';
import type { recordMany as recordManyOwn, record as recordOwn } from '../graph/node.js';
import { recordManyCustom } from '../graph/node.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';

// `record` and `recordMany` for others than core's own operators: what they are given is checked.

/**
 * Records `out` as computed from `inputs` if gradients are on and one of them requires grad; returns `out`.
 * `saved` are the tensors the rule needs, in the order it reads them from `ctx.saved`.
 */
export const record: typeof recordOwn = (name, inputs, out, backward, saved) => {
  checkTensors('record', out);
  checkRecorded('record', name, inputs, backward, saved);
  recordManyCustom(name, inputs, [out], (grads, ctx) => backward(grads[0]!, ctx), saved);
  return out;
};

/** `record` for operations of several outputs; gives the node if there is one. */
export const recordMany: typeof recordManyOwn = (name, inputs, outs, backward, saved) => {
  check('recordMany', 'outs', outs, is.arrayOf(is.tensor));
  checkRecorded('recordMany', name, inputs, backward, saved);
  return recordManyCustom(name, inputs, outs, backward, saved);
};

function checkRecorded(op: string, name: unknown, inputs: unknown, backward: unknown, saved: unknown): void {
  check(op, 'name', name, is.string);
  check(op, 'inputs', inputs, is.arrayOf(is.tensor));
  check(op, 'backward', backward, is.callback);
  check(op, 'saved', saved, is.optional(is.arrayOf(is.tensor)));
}

/** Functions of tensors without state: all of core's operators that layers are made of. */
export * from '@gradgate/core';

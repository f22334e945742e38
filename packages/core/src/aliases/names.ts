// Methods under further names of PyTorch's: each is the method of the name beside it.

/** What the method is called here, for each further name. */
export const otherNames = {
  /** `abs` by another name. */
  absolute: 'abs',
  /** `abs_` by another name. */
  absolute_: 'abs_',
  /** `acos` by another name. */
  arccos: 'acos',
  /** `acos_` by another name. */
  arccos_: 'acos_',
  /** `acosh` by another name. */
  arccosh: 'acosh',
  /** `acosh_` by another name. */
  arccosh_: 'acosh_',
  /** `asin` by another name. */
  arcsin: 'asin',
  /** `asin_` by another name. */
  arcsin_: 'asin_',
  /** `asinh` by another name. */
  arcsinh: 'asinh',
  /** `asinh_` by another name. */
  arcsinh_: 'asinh_',
  /** `atan` by another name. */
  arctan: 'atan',
  /** `atan_` by another name. */
  arctan_: 'atan_',
  /** `atan2` by another name. */
  arctan2: 'atan2',
  /** `atanh` by another name. */
  arctanh: 'atanh',
  /** `atanh_` by another name. */
  arctanh_: 'atanh_',
  /** `expand` by another name. */
  broadcastTo: 'expand',
  /** `div` by another name. */
  divide: 'div',
  /** `div_` by another name. */
  divide_: 'div_',
  /** `trunc` by another name. */
  fix: 'trunc',
  /** `trunc_` by another name. */
  fix_: 'trunc_',
  /** `outer` by another name. */
  ger: 'outer',
  /** `gt` by another name. */
  greater: 'gt',
  /** `ge` by another name. */
  greaterEqual: 'ge',
  /** `lt` by another name. */
  less: 'lt',
  /** `le` by another name. */
  lessEqual: 'le',
  /** `movedim` by another name. */
  moveaxis: 'movedim',
  /** `mul` by another name. */
  multiply: 'mul',
  /** `mul_` by another name. */
  multiply_: 'mul_',
  /** `neg` by another name. */
  negative: 'neg',
  /** `neg_` by another name. */
  negative_: 'neg_',
  /** `ne` by another name. */
  notEqual: 'ne',
  /** `flatten` by another name. */
  ravel: 'flatten',
  /** `split` by another name. */
  splitWithSizes: 'split',
  /** `sub` by another name. */
  subtract: 'sub',
  /** `sub_` by another name. */
  subtract_: 'sub_',
  /** `swapaxes` by another name. */
  swapdims: 'swapaxes',
  /** `toArray` by another name. */
  tolist: 'toArray',
  /** `div` by another name. */
  trueDivide: 'div',
  /** `div_` by another name. */
  trueDivide_: 'div_',
  /** `chunk` by another name. */
  unsafeChunk: 'chunk',
  /** `split` by another name. */
  unsafeSplit: 'split',
} as const;

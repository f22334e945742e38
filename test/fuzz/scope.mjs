import * as core from '@gradgate/core';
import * as aliases from '@gradgate/core/aliases';
import * as autocast from '@gradgate/core/autocast';
import * as checkpoint from '@gradgate/core/checkpoint';
import * as compile from '@gradgate/core/compile';
import * as complex from '@gradgate/core/complex';
import * as fft from '@gradgate/core/fft';
import * as func from '@gradgate/core/func';
import * as gradcheck from '@gradgate/core/gradcheck';
import * as linalg from '@gradgate/core/linalg';
import * as more from '@gradgate/core/more';
import * as sparse from '@gradgate/core/sparse';
import * as special from '@gradgate/core/special';
import * as distributions from '@gradgate/distributions';
import * as nn from '@gradgate/nn';
import * as onnx from '@gradgate/onnx';
import * as train from '@gradgate/train';

/** What examples in docstrings may name; where two entry points have a name, it is the one of core. */
export const scope = {
  ...autocast,
  ...checkpoint,
  ...compile,
  ...complex,
  ...fft,
  ...func,
  ...gradcheck,
  ...linalg,
  ...more,
  ...sparse,
  ...aliases,
  ...special,
  ...onnx,
  ...train,
  ...distributions,
  ...nn,
  ...core,
  ...{ func, linalg, more, sparse },
};

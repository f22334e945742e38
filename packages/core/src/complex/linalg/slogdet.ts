import { recordMany } from '../../graph/node.js';
import { recordOf } from '../../memory/dtype.js';
import { add, mul } from '../../ops/elementwise.js';
import { inverse, mH, timesEach } from '../../ops/linalg.js';
import { Tensor } from '../../tensor/tensor.js';
import { complex, conj, imag } from '../parts.js';

/** `slogdet` of complex matrices, whose signs are complex numbers of size 1, with a gradient. */
function slogdet(a: Tensor): { sign: Tensor; logabsdet: Tensor } {
  const { dtype, shape, storage } = a;
  const batch = shape.slice(0, -2);
  const sign = Tensor.uninitialized(dtype, batch, storage.backend);
  const logabsdet = Tensor.uninitialized(recordOf(dtype).complex!.part, batch, storage.backend);
  storage.backend.kernels.slogdet(a, sign, logabsdet);
  recordMany(
    'slogdet',
    [a],
    [sign, logabsdet],
    ([gs, gl], ctx) => {
      const [a, sign] = ctx.saved as [Tensor, Tensor];
      // The sign turns with the imaginary part of the logarithm of the determinant.
      const turn = gs ? complex(0, imag(mul(gs, conj(sign)))) : null;
      const ofLog = gl && turn ? add(gl, turn) : (gl ?? turn)!;
      return [timesEach(ofLog, mH(inverse(a)))];
    },
    [a, sign],
  );
  return { sign, logabsdet };
}

for (const dtype of ['complex64', 'complex128'] as const) recordOf(dtype).complex!.slogdet = slogdet;

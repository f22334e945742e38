// The entry point `@gradgate/core/fft`, with the functions of PyTorch's `torch.fft`. It imports
// `@gradgate/core/complex`.

export {
  type FftNorm,
  type FftnOptions,
  type FftOptions,
  fft,
  fft2,
  fftn,
  hfft,
  hfft2,
  hfftn,
  ifft,
  ifft2,
  ifftn,
  ihfft,
  ihfft2,
  ihfftn,
  irfft,
  irfft2,
  irfftn,
  rfft,
  rfft2,
  rfftn,
} from './fft.js';
export { type FrequencyOptions, fftfreq, fftshift, ifftshift, rfftfreq } from './frequencies.js';
export { type IstftOptions, istft, type StftOptions, stft } from './stft.js';
export {
  bartlettWindow,
  blackmanWindow,
  type HammingOptions,
  hammingWindow,
  hannWindow,
  type KaiserOptions,
  kaiserWindow,
  type WindowOptions,
} from './windows.js';

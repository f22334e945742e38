import gradgate from '@gradgate/unplugin/vite';

export default { plugins: [gradgate()] };

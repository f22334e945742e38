import gradgate from '@gradgate/unplugin/vite';
import { defineConfig } from 'vite';

// Async functions that gates cover are made so, in the page and in the worker: browsers follow none by themselves.
export default defineConfig({
  plugins: [gradgate()],
  worker: { format: 'es', plugins: () => [gradgate()] },
  build: { target: 'es2022' },
});

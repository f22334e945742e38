import { checks } from './index.js';

declare global {
  interface Window {
    checks: typeof checks;
  }
}

window.checks = checks;

export { type CreateOptions, createProject, type Template, templates } from './create.js';

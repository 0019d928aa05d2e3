import { html } from '../vendor/htm-preact.module.js';

export function Health() {
  return html`<h1>Health</h1>`;
}

import { html } from '../vendor/htm-preact.module.js';

export function Quality() {
  return html`<h1>Quality</h1>`;
}

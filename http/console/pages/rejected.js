import { html } from '../vendor/htm-preact.module.js';

export function Rejected() {
  return html`<h1>Rejected</h1>`;
}

import { html } from '../vendor/htm-preact.module.js';

export function Event() {
  return html`<h1>Event</h1>`;
}

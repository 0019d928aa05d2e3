import { html, useRef, useEffect } from '../vendor/htm-preact.module.js';
import { key } from './api.js';

// KeyForm asks for the key of the API. take is called with what was entered.
export function KeyForm({ take }) {
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);
  const enter = (event) => { event.preventDefault(); take(field.current.value.trim()); };
  return html`<section class="card narrow">
    <h1>A key is needed</h1>
    <p>${key() ? 'The key that was entered does not fit. ' : ''}This Tipoff answers only those who send the value of
      <code>TIPOFF_API_KEY</code>. It is kept for this tab alone, and is forgotten when the tab is closed.</p>
    <form onSubmit=${enter} class="row">
      <label>Key <input ref=${field} id="key" type="password" autocomplete="off" required /></label>
      <button type="submit" class="main">Enter</button>
    </form>
  </section>`;
}

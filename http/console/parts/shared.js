// Small things that many pages have.
import { html, useState } from '../vendor/preact.js';

// Scroll holds what may be wider than the page, and moves by keyboard.
export const Scroll = ({ name, children }) => html`<div class="scroll" tabindex="0" role="region" aria-label=${name}>${children}</div>`;

export const Card = ({ title, children }) => html`<section class="card">${title && html`<h2>${title}</h2>`}${children}</section>`;

// Head is the first line of a table; columns of numbers begin with '#'.
export const Head = ({ columns }) => html`<thead><tr>${columns.map((c) => html`<th scope="col" class=${c[0] === '#' ? 'n' : ''}>${c.replace('#', '')}</th>`)}</tr></thead>`;

// Figures are single quantities side by side: [name, value, what more there is to say].
export const Figures = ({ id, rows }) => html`<dl class="figures" id=${id}>${rows.map(([name, value, more]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd>${more && html`<dd class="small quiet">${more}</dd>`}</div>`)}</dl>`;

// usePages is for a list that comes in pages: cursor is that of the page that is shown.
export function usePages() {
	const [cursors, set] = useState(['']);
	return { cursor: cursors.at(-1), first: cursors.length < 2, reset: () => set(['']), back: () => set(cursors.slice(0, -1)), on: (next) => set([...cursors, next]) };
}

// Pager turns pages; next is the next cursor, if any.
export const Pager = ({ pages, next, back = 'Newer', on = 'Older' }) => html`<div class="row">
	${!pages.first && html`<button type="button" onClick=${pages.back}>${back}</button>`}
	${next && html`<button type="button" id="next" onClick=${() => pages.on(next)}>${on}</button>`}</div>`;

import { html } from '../vendor/htm-preact.module.js';

// Bars draws quantities beside each other: a figure that is a table, whose bars are for the eye alone. rows are
// { name, value, words, link }: words is the value as it is written, link an address that the name leads to.
export function Bars({ title, rows, empty = 'Nothing yet.', most = 0 }) {
  const largest = most || Math.max(...rows.map((r) => Math.abs(r.value)), 0) || 1;
  return html`<figure class="bars"><figcaption>${title}</figcaption>
    ${rows.length === 0 ? html`<p class="quiet">${empty}</p>` : html`<table><tbody>
      ${rows.map((row) => html`<tr key=${row.name}>
        <th scope="row">${row.link ? html`<a href=${row.link}>${row.name}</a>` : row.name}</th>
        <td class="n">${row.words}</td>
        <td class="bar" aria-hidden="true"><span class=${row.value < 0 ? 'less' : ''} style=${{ width: `${Math.min(100, (100 * Math.abs(row.value)) / largest)}%` }}></span></td>
      </tr>`)}</tbody></table>`}
  </figure>`;
}

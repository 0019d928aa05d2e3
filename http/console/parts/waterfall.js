import { html } from '../vendor/htm-preact.module.js';
import { number, signed } from './words.js';

const shown = 14; // terms; the others are summed up in one line

// steps returns a row a term with where its bar begins and ends, and the sum of all.
function steps(terms) {
  const rows = terms.slice(0, shown).map((t) => ({ ...t }));
  const rest = terms.slice(shown);
  if (rest.length) rows.push({ name: 'rest', words: `${rest.length} smaller ones`, contribution: rest.reduce((sum, t) => sum + t.contribution, 0) });
  let at = 0;
  for (const row of rows) {
    row.from = at;
    at += row.contribution;
    row.to = at;
  }
  return { rows, sum: at };
}

// Waterfall shows how the terms of an explanation come to its score: each bar begins where the one before it ends.
export function Waterfall({ explanation, title }) {
  const { rows, sum } = steps(explanation.terms);
  const ends = rows.flatMap((r) => [r.from, r.to]).concat(0, sum);
  const low = Math.min(...ends);
  const span = Math.max(...ends) - low || 1;
  const bar = (from, to) => ({ marginLeft: `${(100 * (Math.min(from, to) - low)) / span}%`, width: `max(2px, ${(100 * Math.abs(to - from)) / span}%)` });
  return html`<figure class="waterfall"><figcaption>${title}</figcaption><div class="scroll" tabindex="0" role="region" aria-label=${title}><table>
    <thead><tr><th scope="col">what speaks for it or against it</th><th scope="col" class="n">value</th><th scope="col" class="n">weight</th><th scope="col" class="n">adds</th><td></td></tr></thead>
    <tbody>${rows.map((r) => html`<tr key=${r.name}>
      <th scope="row" title=${r.name}>${r.words || r.name}</th>
      <td class="n">${r.value === undefined ? '' : number(r.value, 3)}</td><td class="n">${r.weight === undefined ? '' : number(r.weight, 3)}</td>
      <td class="n">${signed(r.contribution)}</td>
      <td class="bar" aria-hidden="true"><span class=${r.contribution < 0 ? 'less' : ''} style=${bar(r.from, r.to)}></span></td></tr>`)}</tbody>
    <tfoot><tr><th scope="row">score</th><td></td><td></td><td class="n">${number(explanation.score, 3)}</td>
      <td class="bar" aria-hidden="true"><span class="sum" style=${bar(0, sum)}></span></td></tr></tfoot>
  </table></div></figure>`;
}

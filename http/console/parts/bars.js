// Quantities side by side, and how terms come to a sum: tables, whose bars are for the eye alone.
import { html } from '../vendor/preact.js';
import { Head, Scroll } from './shared.js';
import { number, signed } from './words.js';

// Bars takes rows of { name, value, words, link }: the value as it is written, and an address behind the name.
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

const shown = 14; // terms; the others are summed up in one line

// steps returns a row a term with where its bar begins and ends, and the sum.
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

// Waterfall shows how terms come to a score: each bar begins where the one before it ends.
export function Waterfall({ explanation, title }) {
	const { rows, sum } = steps(explanation.terms.filter((t) => t.contribution));
	const ends = rows.flatMap((r) => [r.from, r.to]).concat(0, sum);
	const low = Math.min(...ends);
	const span = Math.max(...ends) - low || 1;
	const bar = (from, to) => ({ marginLeft: `${(100 * (Math.min(from, to) - low)) / span}%`, width: `max(2px, ${(100 * Math.abs(to - from)) / span}%)` });
	return html`<figure class="waterfall"><figcaption>${title}</figcaption><${Scroll} name=${title}><table>
		<${Head} columns=${['what speaks for it or against it', '#value', '#weight', '#adds', ' ']} />
		<tbody>${rows.map((r) => html`<tr key=${r.name}>
			<th scope="row">${r.words || r.name}</th>
			<td class="n">${r.value === undefined ? '' : number(r.value, 3)}</td><td class="n">${r.weight === undefined ? '' : number(r.weight, 3)}</td>
			<td class="n">${signed(r.contribution)}</td>
			<td class="bar" aria-hidden="true"><span class=${r.contribution < 0 ? 'less' : ''} style=${bar(r.from, r.to)}></span></td></tr>`)}</tbody>
		<tfoot><tr><th scope="row">score</th><td></td><td></td><td class="n">${number(explanation.score, 3)}</td>
			<td class="bar" aria-hidden="true"><span class="sum" style=${bar(0, sum)}></span></td></tr></tfoot>
	</table></${Scroll}></figure>`;
}

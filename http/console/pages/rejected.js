// Dead letters: records that could not be used, why, and another try.
import { html, useState } from '../vendor/preact.js';
import { get, path, post } from '../parts/api.js';
import { Bars } from '../parts/bars.js';
import { Loaded, Trouble, useLoad } from '../parts/load.js';
import { say } from '../parts/say.js';
import { Card, Pager, usePages } from '../parts/shared.js';
import { number, when } from '../parts/words.js';

const perPage = 20;

function Letter({ letter: r, done }) {
	const [sent, set] = useState(null);
	const again = async () => {
		try {
			const { topic } = await post(`${path('v1', 'rejected', r.id)}/retry`, {});
			set({ topic });
			say(`Sent again to ${topic}.`);
			done(topic);
		} catch (fault) {
			set({ fault });
		}
	};
	return html`<li class="card letter" data-id=${r.id}>
		<p><span class="state bad">${r.reason}</span> ${r.detail}</p>
		<p class="quiet">${r.topic}, partition ${r.partition}, offset ${r.offset} · key <span class="id">${r.key}</span> · ${when(r.at)}</p>
		<details><summary>The record</summary><pre>${r.value}</pre>${r.truncated && html`<p class="quiet">Only its first 4 KB.</p>`}</details>
		${sent?.topic ? html`<p class="state good">Sent again to ${sent.topic}</p>` : html`<button type="button" class="again" onClick=${again}>Send again</button>`}
		<${Trouble} fault=${sent?.fault} />
	</li>`;
}

export function Rejected() {
	const [reason, choose] = useState('');
	const pages = usePages();
	const [sent, note] = useState(null); // here, as the letter itself goes from the list
	const page = useLoad((signal) => get('/v1/rejected', { n: perPage, reason, cursor: pages.cursor }, { signal }), [reason, pages.cursor], 5000);
	const done = (topic, key) => { note({ topic, key }); page.again(); };
	const filter = (event) => { pages.reset(); choose(event.target.value); };
	return html`<h1>Dead letters</h1>
		<p class="lead">What was accepted and could not be used, as a coupon that differs from the first one of its id. It stops nothing behind it.</p>
		<${Loaded} of=${page}>${({ rejected, counts, cursor }) => html`
			<${Card}><${Bars} title="By reason" rows=${counts.map((c) => ({ name: c.reason, value: c.records, words: number(c.records) }))} empty="There are none: everything that was accepted could be used." />
				${counts.length > 1 && html`<label>Show <select id="reason" value=${reason} onChange=${filter}><option value="">all reasons</option>${counts.map((c) => html`<option value=${c.reason} selected=${c.reason === reason}>${c.reason}</option>`)}</select></label>`}</${Card}>
			${sent && html`<p class="state good" id="sent">Sent again to ${sent.topic}: <span class="id">${sent.key}</span></p>`}
			<ul class="letters">${rejected.map((r) => html`<${Letter} key=${r.id} letter=${r} done=${(topic) => done(topic, r.key)} />`)}</ul>
			<${Pager} pages=${pages} next=${cursor} />`}</${Loaded}>`;
}

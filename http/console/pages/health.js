// Every part: how it is, since when, how far behind, and what to do.
import { html, useEffect, useRef } from '../vendor/preact.js';
import { Trouble } from '../parts/load.js';
import { say } from '../parts/say.js';
import { Card, Figures, Head, Scroll } from '../parts/shared.js';
import { useStatus } from '../parts/status.js';
import { bytes, duration, number, since, when } from '../parts/words.js';

const looks = { ready: 'good', starting: 'warn', behind: 'warn', failing: 'bad', absent: 'none' };
const order = ['failing', 'behind', 'starting', 'ready', 'absent'];

function Part({ part: p }) {
	return html`<tr data-part=${p.name}><th scope="row">${p.name}</th><td><span class=${`state ${looks[p.state]}`}>${p.state}</span></td>
		<td>${p.since ? html`<span title=${when(p.since)}>${since(p.since)}</span>` : ''}</td>
		<td class="n">${p.lag_records === null ? '–' : number(p.lag_records)}</td><td class="n">${p.oldest_seconds === null ? '–' : duration(p.oldest_seconds)}</td>
		<td>${p.detail}${p.do && html`<p><strong>${p.do}</strong></p>`}</td></tr>`;
}

export function Health() {
	const { status, fault } = useStatus();
	const wrong = status ? status.parts.filter((p) => p.state === 'failing' || p.state === 'behind').map((p) => `${p.name} is ${p.state}`).join(', ') : '';
	const said = useRef('');
	useEffect(() => {
		if (status && wrong !== said.current) say(wrong || 'All parts are well.');
		said.current = wrong;
	}, [wrong]);
	if (!status) return html`<h1>Health</h1>${fault ? html`<${Trouble} fault=${fault} />` : html`<p class="quiet">Loading…</p>`}`;
	const parts = [...status.parts].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
	return html`<h1>Health</h1>
		<p>${status.ready ? html`<span class="state good">ready</span> This process serves.` : html`<span class="state bad">not ready</span> The parts below say why.`}</p>
		<${Figures} rows=${[['version', status.version], ['role', status.role], ['up for', since(status.started)], ['memory', bytes(status.memory_bytes)]]} />
		<${Card} title="Parts"><${Scroll} name="Parts"><table id="parts">
			<${Head} columns=${['part', 'state', 'since', '#records behind', '#oldest waits', 'what is wrong, what to do']} />
			<tbody>${parts.map((p) => html`<${Part} key=${p.name} part=${p} />`)}</tbody></table></${Scroll}></${Card}>`;
}

// The way of the data, drawn with its rates and lags, and with a bet that is followed.
import { html, useEffect, useState } from '../vendor/preact.js';
import { Head, Scroll } from './shared.js';
import { milliseconds, number, rate } from './words.js';

// Two layouts of the same parts: [x, y] of each one's middle. frame is the box around the topics.
const wide = {
	width: 1180, height: 392, box: [134, 60], frame: [338, 8, 160, 276], narrow: false,
	at: {
		clients: [76, 140], gateway: [246, 140], user_topic: [418, 52], coupon_topic: [418, 134], event_topic: [418, 216],
		bettors: [590, 92], fixtures: [590, 216], sink: [590, 346], 'bettors table': [762, 92], 'fixtures table': [762, 216], database: [762, 346],
		learner: [934, 46], views: [934, 154], rejected: [418, 346], answers: [1104, 154],
	},
};
const tall = {
	width: 360, height: 632, box: [108, 58], frame: [3, 176, 354, 84], narrow: true,
	at: {
		clients: [180, 34], gateway: [180, 122], user_topic: [62, 210], coupon_topic: [180, 210], event_topic: [298, 210],
		bettors: [62, 312], fixtures: [180, 312], sink: [298, 312], 'bettors table': [62, 402], 'fixtures table': [180, 402], database: [298, 402],
		learner: [62, 498], views: [180, 498], rejected: [298, 498], answers: [180, 594],
	},
};

const edges = [
	['clients', 'gateway'], ['gateway', 'user_topic'], ['gateway', 'coupon_topic'], ['gateway', 'event_topic'],
	['user_topic', 'bettors'], ['coupon_topic', 'bettors'], ['event_topic', 'fixtures'], ['event_topic', 'sink'], ['bettors', 'fixtures'],
	['bettors', 'bettors table'], ['fixtures', 'fixtures table'], ['bettors table', 'learner'], ['learner', 'views'],
	['bettors table', 'views'], ['fixtures table', 'views'], ['views', 'answers'], ['sink', 'database'], ['fixtures', 'rejected'],
];

const titles = { 'bettors table': "bettors' table", 'fixtures table': "fixtures' table", views: 'views in memory', answers: 'recommendations', rejected: 'dead letters' };

const named = (list, name) => list?.find((one) => one.name === name || one.name === `tipoff-${name}` || one.name.startsWith(`tipoff-${name}-`));

const lag = (n) => (n === null || n === undefined ? '' : `${number(n)} behind`);

// facts returns two short lines about a part.
function facts(name, status) {
	const { topics, groups, tables } = status.flow;
	if (name.endsWith('_topic')) {
		const topic = named(topics, name);
		return topic ? [rate(topic.records_per_second), `${number(topic.end)} records`] : [];
	}
	if (name.endsWith(' table')) {
		const table = named(tables, name.slice(0, -6));
		return table ? [`${number(table.entries)} entries`, rate(table.updates_per_second)] : [];
	}
	const group = named(groups, name);
	const part = named(status.parts, name);
	switch (name) {
		case 'clients': return ['apps that post', 'and ask'];
		case 'gateway': return [`${rate(status.posts_per_second)} posts`, part?.state || ''];
		case 'views': return status.freshness ? [`${milliseconds(status.freshness.p50_ms)} fresh`, `p99 ${milliseconds(status.freshness.p99_ms)}`] : ['fresh: no bet', 'in a minute'];
		case 'answers': return [rate(status.lookups_per_second), 'from memory'];
		case 'rejected': return [`${number(status.rejected)} records`, status.rejected ? 'see Dead letters' : ''];
		case 'database': return [part?.state || 'elsewhere', ''];
		default: return [rate(group?.records_per_second ?? null), lag(group?.lag_records ?? part?.lag_records)];
	}
}

// stateOf is the worst state of the parts that a box of the map stands for.
function stateOf(name, parts) {
	const base = name.replace(/ table$/, '');
	const of = parts.filter((p) => p.name === base || p.name === `the ${base}` || (name === 'views' && p.name.startsWith('view')) || (name.endsWith('_topic') && p.name === 'broker'));
	const order = ['failing', 'behind', 'starting', 'absent', 'ready'];
	return order.find((state) => of.some((p) => p.state === state)) || 'ready';
}

// way is the line from one box to another, from edge to edge.
function way(layout, [from, to]) {
	const [[x1, y1], [x2, y2]] = [layout.at[from], layout.at[to]];
	const [w, h] = [layout.box[0] / 2, layout.box[1] / 2];
	const across = layout.narrow ? y1 === y2 : Math.abs(x2 - x1) > w;
	if (across) {
		const [a, b] = x2 > x1 ? [x1 + w, x2 - w] : [x1 - w, x2 + w];
		return `M${a} ${y1}C${(a + b) / 2} ${y1} ${(a + b) / 2} ${y2} ${b} ${y2}`;
	}
	const [a, b] = y2 > y1 ? [y1 + h, y2 - h] : [y1 - h, y2 + h];
	return `M${x1} ${a}C${x1} ${(a + b) / 2} ${x2} ${(a + b) / 2} ${x2} ${b}`;
}

function Box({ name, layout, status, reached }) {
	const [x, y] = layout.at[name];
	const [w, h] = layout.box;
	const lines = status ? facts(name, status) : [];
	const state = status ? stateOf(name, status.parts) : 'starting';
	return html`<g class=${`box ${state}${reached ? ' reached' : ''}`} data-part=${name} transform=${`translate(${x - w / 2} ${y - h / 2})`}>
		<rect width=${w} height=${h} rx="8" />
		<text x=${w / 2} y="19" class="title">${titles[name] || name}</text>
		<text x=${w / 2} y="36">${lines[0]}</text><text x=${w / 2} y="51">${lines[1]}</text>
		${reached && html`<g class="mark" transform=${`translate(${w / 2} ${h + 6})`}><rect x="-34" y="-9" width="68" height="18" rx="9" /><text y="4">${reached.ms === 0 ? 'accepted' : milliseconds(reached.ms)}</text></g>`}
	</g>`;
}

function useNarrow() {
	const query = matchMedia('(max-width: 46rem)');
	const [narrow, set] = useState(query.matches);
	useEffect(() => {
		const changed = () => set(query.matches);
		query.addEventListener('change', changed);
		return () => query.removeEventListener('change', changed);
	}, []);
	return narrow;
}

function Table({ status }) {
	return html`<details><summary>As a table</summary><${Scroll} name="The way of the data, as a table"><table><${Head} columns=${['part', 'state', 'how much', 'besides']} />
		<tbody>${Object.keys(wide.at).map((name) => { const [a, b] = facts(name, status); return html`<tr key=${name}><th scope="row">${titles[name] || name}</th><td>${stateOf(name, status.parts)}</td><td>${a}</td><td>${b}</td></tr>`; })}</tbody>
	</table></${Scroll}></details>`;
}

// WayOfData draws the map. reached has { part, ms } of each part that a followed bet has come to, in order.
export function WayOfData({ status, reached }) {
	const layout = useNarrow() ? tall : wide;
	const [fx, fy, fw, fh] = layout.frame;
	const last = reached.at(-1);
	const token = last && layout.at[last.part];
	const passed = (edge) => reached.some((r) => r.part === edge[1]) && reached.some((r) => r.part === edge[0] || edge[0] === 'gateway');
	return html`<figure class="map"><figcaption class="unseen">The way of the data</figcaption>
		<svg viewBox=${`0 0 ${layout.width} ${layout.height}`} role="img" aria-label="The way of the data; the table below has the same in words.">
			<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" orient="auto"><path d="M0 0L8 4L0 8z" /></marker>
			<rect class="frame" x=${fx} y=${fy} width=${fw} height=${fh} rx="10" />
			<text x=${fx + fw / 2} y=${fy + fh - (layout.narrow ? 5 : 12)}>broker</text>
			${edges.map((edge) => html`<path key=${edge.join()} class=${`edge${passed(edge) ? ' passed' : ''}`} d=${way(layout, edge)} marker-end="url(#arrow)" />`)}
			${Object.keys(layout.at).map((name) => html`<${Box} key=${name} name=${name} layout=${layout} status=${status} reached=${reached.find((r) => r.part === name)} />`)}
			${token && html`<circle class="token" r="8" style=${{ transform: `translate(${token[0] - layout.box[0] / 2 + 4}px, ${token[1] - layout.box[1] / 2 + 4}px)` }} />`}
		</svg>
		${status && html`<${Table} status=${status} />`}
	</figure>`;
}

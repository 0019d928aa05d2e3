// How good the recommendations are.
import { html } from '../vendor/preact.js';
import { get } from '../parts/api.js';
import { Bars } from '../parts/bars.js';
import { Chart } from '../parts/chart.js';
import { First, useEmpty } from '../parts/first.js';
import { Loaded, useLoad } from '../parts/load.js';
import { Card, Figures } from '../parts/shared.js';
import { number, percent } from '../parts/words.js';

const leagues = 15; // of the bars

function Overview({ quality: q }) {
	const rows = (name, s) => [
		[`NDCG@10, ${name}`, s ? number(s.ndcg, 3) : 'no coupon yet', s && `popularity ${number(s.popular_ndcg, 3)} · 95% ${number(s.band[0], 3)} to ${number(s.band[1], 3)} · ${number(s.coupons)} coupons`],
		[`HR@10, ${name}`, s ? number(s.hr, 3) : 'no coupon yet', s && `popularity ${number(s.popular_hr, 3)}`],
	];
	return html`<${Figures} id="quality" rows=${[...rows('last hour', q.last_hour), ...rows('last day', q.last_day)]} />`;
}

function Spans({ spans }) {
	const times = spans.map((s) => Date.parse(s.from) / 1000);
	const line = (label, name) => ({ label, values: spans.map((s) => s[name]) });
	const band = { label: '95% of the mean', low: spans.map((s) => s.band?.[0] ?? null), high: spans.map((s) => s.band?.[1] ?? null) };
	return html`<div class="beside">
		<${Card}><${Chart} title="NDCG@10" times=${times} lines=${[line('this ranker', 'ndcg'), line('popularity', 'popular_ndcg')]} band=${band} digits=${3} /></${Card}>
		<${Card}><${Chart} title="HR@10" times=${times} lines=${[line('this ranker', 'hr'), line('popularity', 'popular_hr')]} digits=${3} /></${Card}></div>`;
}

function Coverage({ coverage: c }) {
	if (!c) return html`<p class="quiet">Nobody has asked for recommendations in the last ten minutes: open a bettor.</p>`;
	return html`<p>Of the open events, <strong>${percent(c.events)}</strong> were shown in the last ten minutes. Concentration (Gini) <strong>${number(c.gini, 2)}</strong>: 0 where all are shown alike, 1 where all see one.</p>
		<${Bars} title="Share of what was shown, by league" rows=${c.leagues.slice(0, leagues).map((l) => ({ name: l.league, value: l.share, words: `${percent(l.share)} · ${l.shown} of ${l.events} events` }))} />`;
}

function Weights({ quality: q }) {
	const names = [...new Set(q.weights_over_time.flatMap((w) => Object.keys(w.weights)))].slice(0, 8);
	return html`<div class="beside">
		<${Card}><${Bars} title=${`What is learnt weighs so; what serves now: ${q.leader || q.ranker}`} rows=${q.weights.map((w) => ({ name: w.term, value: w.weight, words: number(w.weight, 3) }))} empty="Nothing is learnt yet: the formula serves." /></${Card}>
		${q.weights_over_time.length > 0 && html`<${Card}><${Chart} title="The largest weights as they move" times=${q.weights_over_time.map((w) => Date.parse(w.at) / 1000)}
			lines=${names.map((name) => ({ label: name, values: q.weights_over_time.map((w) => w.weights[name] ?? null) }))} digits=${2} /></${Card}>`}</div>`;
}

export function Quality() {
	const { empty, again } = useEmpty();
	const quality = useLoad((signal) => get('/v1/quality', {}, { signal }), [], 5000);
	return html`<h1>Quality</h1>
		<p class="lead">Before a coupon is learnt from, it is a question: which open event would this bettor bet on? Popularity answers the same.</p>
		${empty && html`<${First} done=${again} />`}
		<${Loaded} of=${quality}>${(q) => html`<${Overview} quality=${q} />
			${q.spans.length ? html`<${Spans} spans=${q.hours} />` : html`<p class="quiet">The charts begin with the first bets.</p>`}
			<${Card} title="Coverage"><${Coverage} coverage=${q.coverage} /></${Card}>
			<${Weights} quality=${q} />`}</${Loaded}>`;
}

// An event: how it is bet on, by outcome, country and hour, and what else its bettors bet on.
import { html, useRef, useState } from '../vendor/preact.js';
import { get, path } from '../parts/api.js';
import { Bars } from '../parts/bars.js';
import { Chart } from '../parts/chart.js';
import { openEvents } from '../parts/facts.js';
import { First } from '../parts/first.js';
import { Loaded, useLoad } from '../parts/load.js';
import { go, href } from '../parts/route.js';
import { Card, Figures, Head, Pager, Scroll, usePages } from '../parts/shared.js';
import { eventKind, eventName, number, when } from '../parts/words.js';

const perPage = 50;
const lines = 5; // outcomes of the chart
const listed = 8; // of an hour: of others nothing is said

// List is the open events, a page at a time, however many there are.
function List() {
	const sport = useRef(null);
	const league = useRef(null);
	const [asked, ask] = useState({});
	const pages = usePages();
	const page = useLoad((signal) => openEvents(perPage, { ...asked, cursor: pages.cursor }, { signal }), [asked, pages.cursor], 10_000);
	const search = (event) => { event.preventDefault(); pages.reset(); ask({ sport: sport.current.value.trim(), league: league.current.value.trim() }); };
	return html`<${Card} title="Open events">
		<form class="row" onSubmit=${search}>
			<label>Sport <input id="sport" ref=${sport} maxlength="50" /></label><label>League <input id="league" ref=${league} maxlength="50" /></label><button type="submit">Search</button>
		</form>
		<${Loaded} of=${page}>${({ events, cursor }) => html`
			${events.length ? html`<${Scroll} name="Open events"><table id="events"><${Head} columns=${['event', 'sport, league, country', 'begins']} />
				<tbody>${events.map((e) => html`<tr key=${e.event_id}><th scope="row"><a href=${href('event', e.event_id)}>${eventName(e)}</a></th><td>${eventKind(e)}</td><td>${when(e.begin_timestamp)}</td></tr>`)}</tbody></table></${Scroll}>`
		: asked.sport || asked.league ? html`<p class="quiet">No open event is of that sport and league.</p>` : html`<${First} done=${page.again} />`}
			<${Pager} pages=${pages} next=${cursor} back="Earlier" on="Later" />`}</${Loaded}>
	</${Card}>`;
}

const nameOf = (o) => o.country || [o.market, o.outcome].map((name) => name || 'not named').join(': ');

const hour = 3_600_000; // milliseconds

// filled puts hours without bets at both ends of each gap, so that the line goes along zero there.
export function filled(hours) {
	const none = (at) => ({ from: new Date(at).toISOString(), bets: 0, outcomes: [], countries: [] });
	return hours.flatMap((h, i) => {
		const first = Date.parse(h.from) + hour;
		const last = Date.parse(hours[i + 1]?.from) - hour;
		return [h, ...(first <= last ? [none(first)] : []), ...(first < last ? [none(last)] : [])];
	});
}

// Hours draws bets an hour of the first few names; of returns an hour's { bets } by name.
function Hours({ title, hours: some, names, of }) {
	const hours = filled(some);
	const values = (name) => hours.map((hour) => of(hour).find((o) => nameOf(o) === name)?.bets ?? (of(hour).length < listed ? 0 : null));
	return html`<${Chart} title=${`Bets an hour, by ${title}`} times=${hours.map((h) => Date.parse(h.from) / 1000)}
		lines=${[{ label: 'all', values: hours.map((h) => h.bets) }, ...names.slice(0, lines).map((name) => ({ label: name, values: values(name) }))]} />`;
}

function Held({ held }) {
	if (!held) return html`<p class="quiet">It is not open.</p>`;
	const at = (time) => (time ? when(time) : 'none');
	return html`<${Figures} rows=${[['bets held', number(held.bets)], ['bettors held', number(held.bettors_held)], ['first bet', at(held.first_bet)], ['last bet', at(held.last_bet)]]} />`;
}

function Counts({ counts: c }) {
	return html`<p><strong id="event-bets">${number(c.bets)}</strong> ${c.bets === 1 ? 'bet' : 'bets'} in the database.${c.sampled_of > 1 && ` What follows is counted on one bet in ${number(c.sampled_of)}, and counts for all.`}</p>
		<div class="beside">
			<${Card}><${Bars} title="By outcome" rows=${c.outcomes.map((o) => ({ name: nameOf(o), value: o.bets, words: `${number(o.bets)} · stakes ${number(o.stake)}` }))} empty="No bet yet." /></${Card}>
			<${Card}><${Bars} title="By country" rows=${c.countries.slice(0, 12).map((o) => ({ name: nameOf(o), value: o.bets, words: number(o.bets) }))} empty="No bet yet." /></${Card}>
			${c.hours.length > 0 && html`<${Card}><${Hours} title="outcome" hours=${c.hours} names=${c.outcomes.map(nameOf)} of=${(h) => h.outcomes} /></${Card}>
				<${Card}><${Hours} title="country" hours=${c.hours} names=${c.countries.map(nameOf)} of=${(h) => h.countries} /></${Card}>`}
			<${Card}><${Bars} title="Its neighbours: what the same bettors bet on" rows=${c.neighbours.map((n) => ({ name: eventName(n.event), link: href('event', n.event.event_id), value: n.weight, words: number(n.weight, 2) }))} empty="No open event has bettors in common with it." /></${Card}>
			<${Card} title="What the index holds of it"><${Held} held=${c.held} /></${Card}>
		</div>`;
}

function One({ id }) {
	const event = useLoad((signal) => get(path('v1', 'events', id), {}, { signal }), [id]);
	const counts = useLoad((signal) => get(`${path('v1', 'events', id)}/counts`, {}, { signal }), [id], 5000);
	return html`<p><a href=${href('event')}>All open events</a></p>
		<${Loaded} of=${event}>${(e) => html`<h1>${eventName(e)}</h1><p class="lead">${eventKind(e)} · begins ${when(e.begin_timestamp)} · ${e.status || 'open'}${e.result && ` · ${e.result}`} · <span class="id">${e.event_id}</span></p>`}</${Loaded}>
		<${Loaded} of=${counts}>${(c) => html`<${Counts} counts=${c} />`}</${Loaded}>`;
}

export function Event({ of }) {
	const field = useRef(null);
	const pick = (event) => { event.preventDefault(); go('event', field.current.value.trim()); };
	if (of) return html`<${One} id=${of} key=${of} />`;
	return html`<h1>Event</h1>
		<form class="row" onSubmit=${pick} role="search"><label>Id <input id="event-id" ref=${field} maxlength="50" required /></label><button type="submit">Show</button></form>
		<${List} />`;
}

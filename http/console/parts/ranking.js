// A ranked list that shows what has moved since it was shown last.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { get, path } from './api.js';
import { Waterfall } from './bars.js';
import { Loaded, useLoad } from './load.js';
import { href } from './route.js';
import { say } from './say.js';
import { calm } from './theme.js';
import { duration, eventKind, eventName, evidenceWords, number, reasonWords, when } from './words.js';

export const rankers = [
	{ name: 'served', words: 'what apps are shown' },
	{ name: 'tipoff', words: 'what is learnt of this bettor and the crowd' },
	{ name: 'popular', words: 'what many bet on' },
	{ name: 'affinity', words: 'own sports, leagues and teams' },
	{ name: 'cf', words: 'what the same bettors bet on' },
	{ name: 'similar', words: 'chance, among what is followed' },
];

// named is a ranker as the API is asked for it; what is served has no name.
export const named = (ranker) => (ranker === 'served' ? '' : ranker);

// moves compares two lists of ids: how many places each has risen, or 'new'; and which have left.
export function moves(earlier, later) {
	const moved = new Map(later.map((id, at) => [id, earlier.includes(id) ? earlier.indexOf(id) - at : 'new']));
	return { moved, left: earlier.filter((id) => !moved.has(id)) };
}

function Move({ by }) {
	if (!by) return null;
	if (by === 'new') return html`<span class="move new">new</span>`;
	return html`<span class=${`move ${by > 0 ? 'up' : 'down'}`}><span aria-hidden="true">${by > 0 ? '▲' : '▼'} ${Math.abs(by)}</span><span class="unseen">${by > 0 ? 'up' : 'down'} by ${Math.abs(by)}</span></span>`;
}

// Later says that a score is no longer what the list shows.
function Later({ score, now, age }) {
	const [was, is] = [number(score, 3), number(now, 3)];
	return was !== is && html`<p class="later">The list is ${duration(age / 1000)} old and shows ${was}; now the score is ${is}.</p>`;
}

function Why({ user, event, ranker, score, read }) {
	const found = useLoad((signal) => get('/v1/explanations', { user_id: user, event_id: event.event_id, ranker: named(ranker) }, { signal }).then((e) => ({ ...e, age: Date.now() - read })), [user, event.event_id, ranker, score]);
	return html`<${Loaded} of=${found}>${(e) => html`<${Later} score=${score} now=${e.score} age=${e.age} /><${Waterfall} explanation=${e} title=${`Why ${eventName(event)}: each term is its value times its weight`} />`}</${Loaded}>`;
}

// useNamed gives a reason that is another event the name of that.
function useNamed(reason) {
	const id = reason?.code === 'CO_BET' ? reason.entity : '';
	const { value } = useLoad((signal) => id && get(path('v1', 'events', id), {}, { signal }), [id]);
	return value ? { ...reason, name: eventName(value) } : reason;
}

function Row({ item, at, by, user, ranker, place, busy, read }) {
	const [open, set] = useState(false);
	const { event } = item;
	const reason = useNamed(item.reason);
	const name = eventName(event);
	return html`<li class=${by ? 'moved' : ''} data-event=${event.event_id}>
		<span class="rank" aria-hidden="true">${at + 1}</span>
		<div class="what"><a href=${href('event', event.event_id)}><strong>${name}</strong></a> <${Move} by=${by} />
			<span class="kind">${eventKind(event)} · ${when(event.begin_timestamp)}</span>
			${reasonWords(reason) && html`<span class="reason"><q>${reasonWords(reason)}</q>${evidenceWords(reason) && html` <span class="quiet">${evidenceWords(reason)}</span>`}</span>`}</div>
		<span class="score n">${number(item.score, 3)}</span>
		<span class="acts"><button type="button" class="why" aria-expanded=${open} onClick=${() => set(!open)}>Why<span class="unseen"> ${name}</span></button>
			<button type="button" class="bet main" disabled=${busy} onClick=${() => place(event)}>Bet<span class="unseen"> on ${name}</span></button></span>
		${open && html`<div class="terms"><${Why} user=${user} event=${event} ranker=${ranker} score=${item.score} read=${read} /></div>`}
	</li>`;
}

// glide moves rows from where they were (null: not shown) and returns where they are: pixels from the list's top.
function glide(list, were) {
	const top = list.getBoundingClientRect().top;
	const are = new Map([...list.children].map((row) => [row.dataset.event, row.getBoundingClientRect().top - top]));
	for (const row of were && !calm() ? list.children : []) {
		const by = were.get(row.dataset.event) - are.get(row.dataset.event);
		if (Number.isNaN(by)) row.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 500 });
		else if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: 'none' }], { duration: 500, easing: 'ease-in-out' });
	}
	return are;
}

// Ranking shows a recommendation; place is called with an event to bet on. first: its changes are spoken.
export function Ranking({ list, user, ranker, place, busy, first }) {
	const ids = list.items.map((i) => i.event.event_id);
	const shown = useRef(null); // the answer on the page, and the ids of the one before it
	const places = useRef(null); // where each row stood, in pixels from the list's top
	const element = useRef(null);
	if (shown.current?.list !== list) shown.current = { list, ids, before: shown.current?.ids };
	const { moved, left } = moves(shown.current.before || ids, ids);
	useLayoutEffect(() => {
		if (element.current) places.current = glide(element.current, places.current);
	}, [list]);
	useEffect(() => {
		const changed = [...moved.values()].filter(Boolean).length;
		if (first && shown.current.before && changed + left.length) say(`The list has changed: ${changed} moved or new, ${left.length} gone.${list.items.length ? ` First is ${eventName(list.items[0].event)}.` : ''}`);
	}, [list]);
	if (!list.items.length) return html`<p class="quiet">Nothing to show: ${list.empty_because || 'no event is open'}.</p>`;
	return html`${list.cold_start && html`<p class="quiet">Nothing is known of this bettor yet: this is what newcomers see.</p>`}
		<ol class="ranking" ref=${element}>${list.items.map((item, at) => html`<${Row} key=${item.event.event_id} item=${item} at=${at}
			by=${moved.get(item.event.event_id)} user=${user} ranker=${ranker} place=${place} busy=${busy} read=${list.read} />`)}</ol>
		${left.length > 0 && html`<p class="quiet gone">${left.length} left the list.</p>`}`;
}

// A bettor: what was learnt, what two rankers say, and what a bet changes.
import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { get, path } from '../parts/api.js';
import { Bars } from '../parts/bars.js';
import { knownUser, placeBet, recentUsers, rememberUser } from '../parts/facts.js';
import { First, useEmpty } from '../parts/first.js';
import { Loaded, Trouble, useLoad } from '../parts/load.js';
import { named, Ranking, rankers } from '../parts/ranking.js';
import { go, href } from '../parts/route.js';
import { say } from '../parts/say.js';
import { Card, Head, Pager, Scroll, usePages } from '../parts/shared.js';
import { eventName, number, percent, when } from '../parts/words.js';

const items = 10; // of each list
const couponsShown = 10; // of the history, at a time
const patience = 15_000; // milliseconds until a bet must have changed what is known

function Pick({ of }) {
	const field = useRef(null);
	const known = useLoad((signal) => knownUser(signal), []);
	const pick = (event) => { event.preventDefault(); if (field.current.value.trim()) go('bettor', field.current.value.trim()); };
	const some = [...new Set([...recentUsers(), ...(known.value ? [known.value] : []), ...(known.value === 'bettor-1' ? ['bettor-2', 'bettor-3', 'bettor-4'] : [])])];
	return html`<form class="row" onSubmit=${pick} role="search">
		<label>User <input id="user" ref=${field} defaultValue=${of} list="users" maxlength="50" required autocomplete="off" placeholder=${known.value || 'user id'} /></label>
		<datalist id="users">${some.map((id) => html`<option value=${id} />`)}</datalist>
		<button type="submit">Show</button>
		${some.filter((id) => id !== of).slice(0, 4).map((id) => html`<a class="chip" key=${id} href=${href('bettor', id)}>${id}</a>`)}
	</form>`;
}

function Taste({ of }) {
	const bars = (list) => list.slice(0, 6).map((a) => ({ name: a.name, value: a.share, words: percent(a.share) }));
	return html`<${Loaded} of=${of}>${(a) => html`
		<p><strong id="bets">${number(a.bets)}</strong> ${a.bets === 1 ? 'bet' : 'bets'} learnt from. They lose half their weight in 30 days.</p>
		<div class="columns">
			<${Bars} title="Sports" rows=${bars(a.sports)} most=${1} />
			<${Bars} title="Leagues" rows=${bars(a.leagues)} most=${1} />
			<${Bars} title="Teams" rows=${bars(a.teams)} most=${1} />
			<${Bars} title="Odds" rows=${bars(a.odds)} most=${1} />
		</div>`}</${Loaded}>`;
}

// History shows a user's coupons as the database has them; another number of bets makes it read again.
function History({ user, bets }) {
	const pages = usePages();
	const page = useLoad((signal) => get(path('v1', 'users', user, 'coupons'), { n: couponsShown, cursor: pages.cursor }, { signal }), [user, pages.cursor, bets], 5000);
	return html`<${Loaded} of=${page}>${({ coupons, cursor }) => html`
		${coupons.length === 0 ? html`<p class="quiet">No coupon of ${user} is in the database yet.</p>` : html`<${Scroll} name="Coupons"><table><${Head} columns=${['placed', 'events', '#odds', '#stake']} />
			<tbody>${coupons.map((c) => html`<tr key=${c.coupon_id}><td>${when(c.timestamp)}</td>
				<td>${c.selections.map((s, i) => html`${i > 0 && ', '}<a href=${href('event', s.event_id)}>${s.event_id}</a>${s.outcome && ` (${s.outcome})`}`)}</td>
				<td class="n">${number(c.selections.reduce((product, s) => product * s.odds, 1), 2)}</td><td class="n">${number(c.stake, 2)}</td></tr>`)}</tbody></table></${Scroll}>`}
		<${Pager} pages=${pages} next=${cursor} />`}</${Loaded}>`;
}

// nothing is what is known of a user who has not bet.
const nothing = { bets: 0, sports: [], leagues: [], teams: [], markets: [], odds: [] };

async function affinities(user, signal) {
	try {
		return await get(path('v1', 'users', user, 'affinities'), {}, { signal, fresh: true });
	} catch (fault) {
		if (fault.status === 404) return nothing; // whoever has not bet yet is shown what newcomers are
		throw fault;
	}
}

// learnt waits until more bets of a user are known than there were.
async function learnt(user, before) {
	const until = Date.now() + patience;
	for (let wait = 20; Date.now() < until; wait = Math.min(2 * wait, 500)) {
		if ((await affinities(user)).bets > before) return true;
		await new Promise((resolve) => { setTimeout(resolve, wait); });
	}
	return false;
}

// Outcome says what became of the last one.
function Outcome({ bet }) {
	if (!bet) return html`<p class="quiet">Bet on any event below, and see the lists change.</p>`;
	if (bet.fault) return html`<${Trouble} fault=${bet.fault} />`;
	if (!bet.shown) return html`<p>Betting on ${bet.name}…</p>`;
	return html`<p id="placed">${bet.late ? html`The bet on <strong>${bet.name}</strong> is accepted, but is not learnt from yet: Health says which part is behind.`
		: html`The bet on <strong>${bet.name}</strong> was accepted in ${number(bet.accepted, 1)} ms and has changed what is known ${number(bet.shown, 0)} ms after it was sent, as this page saw it.`}</p>`;
}

// Side is one of the two lists; turn makes it read again.
function Side({ user, at, ranker, choose, turn, place, busy }) {
	const list = useLoad((signal) => get('/v1/recommendations', { user_id: user, n: items, ranker: named(ranker) }, { signal, fresh: true }).then((a) => ({ ...a, read: Date.now() })), [user, ranker]);
	const read = useRef(turn);
	useEffect(() => { if (read.current !== turn) list.again(); read.current = turn; }, [turn]);
	return html`<div><label class="ranker">Ranked by <select id=${`ranker-${at}`} value=${ranker} onChange=${(e) => choose(e.target.value)}>
			${rankers.map((r) => html`<option value=${r.name} selected=${r.name === ranker}>${r.name}: ${r.words}</option>`)}</select></label>
		<${Loaded} of=${list}>${(answer) => html`<${Ranking} key=${ranker} list=${answer} user=${user} ranker=${ranker} place=${place} busy=${busy} first=${at === 0} />`}</${Loaded}></div>`;
}

// Lists shows what two rankers say, and bets.
function Lists({ user, known }) {
	const [chosen, choose] = useState(['served', 'popular']);
	const [bet, setBet] = useState(null);
	const [stake, setStake] = useState(10);
	const [turn, read] = useState(0);
	const place = async (event) => {
		const name = eventName(event);
		setBet({ name });
		try {
			const before = (await affinities(user)).bets;
			const began = performance.now();
			const { milliseconds } = await placeBet(user, event, stake);
			const seen = await learnt(user, before);
			setBet({ name, accepted: milliseconds, shown: performance.now() - began, late: !seen });
			known.again();
			read(turn + 1);
		} catch (fault) {
			setBet({ name, fault });
		}
	};
	const busy = bet !== null && !bet.fault && !bet.shown;
	return html`<${Card} title=${`What ${user} is shown now`}>
		<div class="row"><label>Stake <input type="number" id="stake" min="0.01" step="any" value=${stake} onInput=${(e) => setStake(Number(e.target.value) || 10)} /></label><div><${Outcome} bet=${bet} /></div></div>
		<div class="beside">${chosen.map((ranker, at) => html`<${Side} key=${at} user=${user} at=${at} ranker=${ranker} turn=${turn} place=${place} busy=${busy}
			choose=${(name) => choose(chosen.map((r, i) => (i === at ? name : r)))} />`)}</div>
	</${Card}>`;
}

export function Bettor({ of }) {
	const { empty, again } = useEmpty();
	const known = useLoad((signal) => (of ? affinities(of, signal) : Promise.resolve(null)), [of], of ? 5000 : 0);
	const first = useLoad((signal) => (of ? Promise.resolve('') : knownUser(signal)), [of, empty], of ? 0 : 3000);
	useEffect(() => { if (of) { rememberUser(of); say(`Bettor ${of}`); } }, [of]);
	useEffect(() => { if (!of && first.value) location.replace(href('bettor', first.value)); }, [of, first.value]);
	return html`<h1>Bettor ${of && html`<span class="id">${of}</span>`}</h1>
		<${Pick} of=${of} key=${of} />
		${empty && html`<${First} done=${again} />`}
		<${Trouble} fault=${!of && first.fault} />
		${!of && !empty && html`<p class="quiet">Enter the id of a user, as it was posted with a bet.</p>`}
		${of && html`<${Lists} user=${of} known=${known} key=${of} />
			<div class="beside"><${Card} title="Taste"><${Taste} of=${known} /></${Card}>
			<${Card} title="History"><${History} user=${of} bets=${known.value?.bets} key=${of} /></${Card}></div>`}`;
}

// What goes on now, and a bet that one sends through it oneself.
import { html, useEffect, useState } from '../vendor/preact.js';
import { Chart } from '../parts/chart.js';
import { knownUser, openEvents, rememberUser } from '../parts/facts.js';
import { First, useEmpty } from '../parts/first.js';
import { Stages, useJourney } from '../parts/journey.js';
import { Trouble, useLoad } from '../parts/load.js';
import { WayOfData } from '../parts/map.js';
import { href } from '../parts/route.js';
import { Card, Figures } from '../parts/shared.js';
import { useStatus } from '../parts/status.js';
import { bytes, eventName, milliseconds, number, rate, when } from '../parts/words.js';

const choices = 20; // events to bet on

function Overview({ status }) {
	const wrong = status.parts.filter((p) => p.state !== 'ready' && p.state !== 'absent');
	const figures = [
		['posts', rate(status.posts_per_second)], ['recommendations', rate(status.lookups_per_second)],
		['bet to changed answer', status.freshness ? milliseconds(status.freshness.p50_ms) : 'no bet in a minute', status.freshness && `p99 ${milliseconds(status.freshness.p99_ms)}`],
		['dead letters', number(status.rejected)], ['memory', bytes(status.memory_bytes)],
	];
	const parts = html`<a class=${`state ${wrong.length ? 'bad' : 'good'}`} href=${href('health')}>${wrong.length ? `${wrong.length} not ready` : 'all ready'}</a>`;
	return html`<${Figures} rows=${[...figures, ['parts', parts]]} />`;
}

// Bet sends a bet and lists the stages of its way.
function Bet({ journey, empty }) {
	const user = useLoad((signal) => knownUser(signal), [empty]);
	const events = useLoad((signal) => openEvents(choices, {}, { signal }), [empty]);
	const [name, setName] = useState('');
	const [chosen, choose] = useState('');
	useEffect(() => { if (user.value && !name) setName(user.value); }, [user.value]);
	const open = events.value?.events || [];
	const event = open.find((e) => e.event_id === chosen) || open[0];
	const send = (submitted) => { submitted.preventDefault(); rememberUser(name); journey.send(name, event, 10); };
	const { bet } = journey;
	return html`<${Card} title="Send a bet through it">
		<form class="row" onSubmit=${send}>
			<label>User <input id="better" value=${name} onInput=${(e) => setName(e.target.value)} maxlength="50" required autocomplete="off" /></label>
			<label class="grow">Event <select id="event" value=${event?.event_id} onChange=${(e) => choose(e.target.value)}>${open.map((e) => html`<option value=${e.event_id} selected=${e === event}>${eventName(e)} · ${e.league} · ${when(e.begin_timestamp)}</option>`)}</select></label>
			<button type="submit" class="main" id="send" disabled=${!event}>Send a bet of 10</button>
		</form>
		<${Trouble} fault=${user.fault || events.fault} again=${events.again} />
		${bet && html`<p>${eventName(bet.event)} by <a href=${href('bettor', bet.user)}>${bet.user}</a>${bet.placed && html`: accepted in ${milliseconds(bet.placed.milliseconds)}, as this page saw it`}. Below: since it was accepted. The map shows the stages slowly, for the eye.</p>
			<${Trouble} fault=${bet.fault} />
			<${Stages} stages=${journey.stages} shown=${journey.shown} going=${bet.going} />`}
	</${Card}>`;
}

function Past({ past }) {
	const times = past.map((p) => p.at);
	const line = (label, of) => ({ label, values: past.map((p) => p[of]) });
	return html`<div class="beside">
		<${Card}><${Chart} title="Requests a second" times=${times} lines=${[line('posts', 'posts'), line('recommendations', 'lookups')]} digits=${1} fine /></${Card}>
		<${Card}><${Chart} title="From a bet to a changed answer" unit="ms" times=${times} lines=${[line('median', 'p50'), line('p99', 'p99')]} digits=${1} fine /></${Card}>
	</div>`;
}

export function Now() {
	const { status, past, fault } = useStatus();
	const { empty, again } = useEmpty();
	const journey = useJourney();
	return html`<h1>Now</h1>
		<p class="lead">A bet goes in at the gateway, over the broker to whoever learns from it, and out as recommendations that have changed.</p>
		${status && html`<${Overview} status=${status} />`}
		${!status && fault && html`<${Trouble} fault=${fault} />`}
		<${Card}><${WayOfData} status=${status} reached=${journey.shown} /></${Card}>
		${empty ? html`<${First} done=${again} />` : html`<${Bet} journey=${journey} empty=${empty} />`}
		<${Past} past=${past} />`;
}

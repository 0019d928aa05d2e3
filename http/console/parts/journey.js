// A bet that is followed on its way, stage by stage.
import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { get, path } from './api.js';
import { placeBet } from './facts.js';
import { say } from './say.js';
import { calm } from './theme.js';
import { eventName, milliseconds } from './words.js';

const patience = 20_000; // milliseconds until what has not been seen is given up
const look = 250; // milliseconds between two looks
const step = 650; // milliseconds for which a stage is shown before the next one

// parts are the boxes of the map that the stages stand for.
const parts = {
	accepted: 'gateway', 'on the topic': 'coupon_topic', "bettor's table": 'bettors table', 'view of the gateway': 'views',
	learnt: 'learner', 'in the database': 'database',
};

// reachedOf returns { part, stage, ms } of the stages that were reached, in the order of time.
export function reachedOf(stages) {
	return stages.filter((s) => s.ms !== null).map((s) => ({ part: parts[s.stage], stage: s.stage, ms: s.ms }))
		.filter((r) => r.part).sort((a, b) => a.ms - b.ms);
}

async function follow(bet, take, signal) {
	const until = Date.now() + patience;
	while (!signal.aborted && Date.now() < until) {
		const { stages } = await get(path('v1', 'coupons', bet.coupon_id, 'journey'), { user_id: bet.user_id }, { signal });
		take(stages);
		if (stages.every((s) => s.ms !== null)) return;
		await new Promise((resolve) => { setTimeout(resolve, look); });
	}
}

// useJourney returns { send, bet, stages, shown }: send(user, event, stake) bets and follows the bet; shown are the
// stages reached that are shown by now, one after the other for the eye.
export function useJourney() {
	const [bet, setBet] = useState(null);
	const [stages, setStages] = useState([]);
	const [shown, show] = useState(0);
	const stop = useRef(null);
	const reached = reachedOf(stages);
	useEffect(() => () => stop.current?.abort(), []);
	useEffect(() => {
		if (shown >= reached.length) return undefined;
		const timer = setTimeout(() => show(shown + 1), calm() || shown === 0 ? 0 : step);
		return () => clearTimeout(timer);
	}, [shown, reached.length]);
	const send = async (user, event, stake) => {
		stop.current?.abort();
		stop.current = new AbortController();
		const { signal } = stop.current;
		setStages([]);
		show(0);
		setBet({ user, event, going: true });
		let placed = null;
		try {
			placed = await placeBet(user, event, stake);
			if (signal.aborted) return;
			setBet({ user, event, placed, going: true });
			let last = [];
			await follow(placed, (now) => { last = now; setStages(now); }, signal);
			say(`The bet on ${eventName(event)}: ${reachedOf(last).map((r) => `${r.stage} ${milliseconds(r.ms)}`).join(', ')}.`);
			setBet({ user, event, placed, going: false });
		} catch (fault) {
			if (!signal.aborted) setBet({ user, event, placed, fault, going: false });
		}
	};
	return { send, bet, stages, shown: reached.slice(0, shown) };
}

// Stages lists how far the bet has come.
export function Stages({ stages, shown, going }) {
	return html`<ol class="stages" id="stages">${stages.map((s) => {
		const seen = shown.some((r) => r.stage === s.stage);
		const waits = going || s.ms !== null ? 'on its way' : 'not seen';
		return html`<li key=${s.stage} class=${seen ? 'seen' : ''}><span>${s.stage}</span> <strong class="n">${seen ? milliseconds(s.ms) : waits}</strong></li>`;
	})}</ol>`;
}

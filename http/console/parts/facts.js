// What the console posts: real facts, through the routes that everybody uses.
import { get, path, post } from './api.js';

const hour = 3_600_000;

const made = () => `console-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;

// choice is the first thing that one can bet on of an event: { market, outcome, odds }.
function choice(event) {
	for (const market of event.markets || []) {
		for (const outcome of market.outcomes) return { market: market.market, outcome: outcome.outcome, odds: outcome.odds };
	}
	return { odds: 1.9 };
}

// placeBet posts a coupon of one event and returns { coupon_id, user_id, milliseconds }: until it was accepted.
export async function placeBet(user, event, stake) {
	const coupon = { coupon_id: made(), user_id: user, stake, timestamp: new Date().toISOString(), selections: [{ event_id: event.event_id, ...choice(event) }] };
	const began = performance.now();
	await post('/v1/coupons', coupon);
	return { coupon_id: coupon.coupon_id, user_id: user, milliseconds: performance.now() - began };
}

const sampleUser = 'sample-ana';

function sampleEvent(id, sport, league, country, home, away, hours) {
	const begin = Date.now() + hours * hour;
	const outcomes = [{ outcome: '1', odds: 1.9 }, { outcome: '2', odds: 2.1 }];
	return {
		event_id: id, sport, league, country, home, away, participants: [home, away], markets: [{ market: 'winner', outcomes }],
		begin_timestamp: new Date(begin).toISOString(), end_timestamp: new Date(begin + 2 * hour).toISOString(),
	};
}

// postSamples posts seven facts: a user, five events, and a coupon of that user.
export async function postSamples() {
	const events = [
		sampleEvent('sample-1', 'Soccer', 'Serie A', 'Italy', 'Roma', 'Lazio', 26),
		sampleEvent('sample-2', 'Soccer', 'Serie A', 'Italy', 'Milan', 'Roma', 50),
		sampleEvent('sample-3', 'Soccer', 'La Liga', 'Spain', 'Betis', 'Sevilla', 30),
		sampleEvent('sample-4', 'Basketball', 'EuroLeague', 'Spain', 'Valencia', 'Milano', 28),
		sampleEvent('sample-5', 'Tennis', 'ATP', 'France', 'Moreau', 'Keller', 29),
	];
	await post('/v1/users', { user_id: sampleUser, birth_year: 1990, country: 'Italy', currency: 'EUR', gender: 'female', registration_date: '2024-05-17' });
	await post('/v1/events', events);
	await placeBet(sampleUser, events[0], 10);
}

// openEvents returns the events that begin next.
export const openEvents = (n, query = {}, options = {}) => get('/v1/events', { n, ...query }, options);

// knownUser returns the id of a user whom this Tipoff has; '': none is known.
export async function knownUser(signal) {
	for (const id of [recentUsers()[0], 'bettor-1', sampleUser]) {
		if (!id) continue;
		try {
			await get(path('v1', 'users', id, 'affinities'), {}, { signal });
			return id;
		} catch (fault) {
			if (fault.status !== 404) throw fault;
		}
	}
	return '';
}

const recentName = 'tipoff users';

// recentUsers are those whom this tab has shown, the last one first.
export function recentUsers() {
	try {
		return JSON.parse(sessionStorage.getItem(recentName)) || [];
	} catch {
		return [];
	}
}

export function rememberUser(id) {
	sessionStorage.setItem(recentName, JSON.stringify([id, ...recentUsers().filter((u) => u !== id)].slice(0, 10)));
}

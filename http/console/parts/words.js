// Numbers, times, events and reasons in words.

// number writes a quantity with so many digits after the point; null: nobody here can know it.
export function number(n, digits = 0) {
	if (n === null || n === undefined) return 'unknown';
	return n.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

// rate writes a quantity a second.
export const rate = (n) => (n === null || n === undefined ? 'unknown' : `${number(n, n < 10 && n > 0 ? 1 : 0)}/s`);

export const milliseconds = (n) => (n === null || n === undefined ? 'unknown' : `${number(n, n < 100 ? 1 : 0)} ms`);

export const percent = (share) => `${number(100 * share, share < 0.1 ? 1 : 0)}%`;

export const signed = (n, digits = 3) => `${n < 0 ? '−' : '+'}${number(Math.abs(n), digits)}`;

export const bytes = (n) => `${number(n / (1 << 20))} MiB`;

// duration writes seconds in their largest unit.
export function duration(seconds) {
	for (const [unit, size] of [['d', 86400], ['h', 3600], ['min', 60]]) {
		if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}`;
	}
	return `${number(seconds, seconds < 10 ? 1 : 0)} s`;
}

export const since = (time) => duration(Math.max(0, Date.now() - Date.parse(time)) / 1000);

const day = new Intl.DateTimeFormat('en', { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const exact = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

export const when = (time) => day.format(new Date(time));
export const clock = (time) => exact.format(new Date(time));

// eventName is what people call an event.
export function eventName(event) {
	if (event.home && event.away) return `${event.home} – ${event.away}`;
	return event.participants?.length ? event.participants.join(' – ') : event.event_id;
}

export const eventKind = (event) => [event.sport, event.league, event.country].filter(Boolean).join(' · ');

const reasons = {
	TEAM_AFFINITY: (r) => `You often bet on ${r.entity}`,
	LEAGUE_AFFINITY: (r) => `You follow ${r.entity}`,
	SPORT_AFFINITY: (r) => `You follow ${r.entity}`,
	CO_BET: (r) => `Others who bet on ${r.name || r.entity} chose this too`,
	POPULAR_IN_COUNTRY: (r) => `Popular in ${r.entity}`,
	POPULAR: () => 'Many bet on this now',
	STARTS_SOON: () => 'Starts soon',
	NEW_FIXTURE: () => 'New',
};

const bets = (n) => `${number(n, 1)} bets on it, older ones counting less`;
const evidence = {
	TEAM_AFFINITY: bets, LEAGUE_AFFINITY: bets, SPORT_AFFINITY: bets,
	CO_BET: (n) => `similarity ${number(n, 2)}`,
	POPULAR_IN_COUNTRY: (n) => `${number(n, 1)} bets from there lately`,
	POPULAR: (n) => `${number(n, 1)} bets lately`,
	STARTS_SOON: (n) => `in ${number(n, 1)} hours`,
};

// reasonWords are the words that a bettor would read; '' where nothing speaks for the event.
export const reasonWords = (reason) => (reason && reasons[reason.code]?.(reason)) || '';

export const evidenceWords = (reason) => (reason && evidence[reason.code]?.(reason.evidence)) || '';

// The state of Tipoff, shared by all that show it: one stream a tab, none while the tab is hidden.
import { useEffect, useState } from '../vendor/preact.js';
import { get } from './api.js';
import { subscribe } from './stream.js';

const kept = 600; // seconds of the past, for charts

const readers = new Set();
let now = { status: null, past: [], live: false, fault: null };
let stop = null;
let drawn = 0; // the frame that is asked for; 0: none

// change sets what is known. It is shown once a frame, however much comes.
function change(part) {
	now = { ...now, ...part };
	drawn ||= requestAnimationFrame(() => {
		drawn = 0;
		for (const read of readers) read(now);
	});
}

function take(status) {
	const point = {
		at: Date.parse(status.at) / 1000,
		posts: status.posts_per_second,
		lookups: status.lookups_per_second,
		p50: status.freshness?.p50_ms ?? null,
		p99: status.freshness?.p99_ms ?? null,
	};
	const last = now.past.at(-1);
	const past = last && point.at <= last.at ? now.past : [...now.past.slice(1 - kept), point];
	change({ status, past, live: true, fault: null });
}

function lost(fault) {
	change({ live: false, fault });
	// Without a stream, as when all its places are taken, the state is asked for now and then.
	if (fault?.status) get('/v1/status').then(take, (cause) => change({ live: false, fault: cause }));
}

function start() {
	if (stop || document.hidden || !readers.size) return;
	stop = new AbortController();
	subscribe('/v1/status/stream', (event) => {
		if (event.name === 'status') take(JSON.parse(event.data));
	}, lost, stop.signal);
}

function end() {
	stop?.abort();
	stop = null;
}

document.addEventListener('visibilitychange', () => (document.hidden ? end() : start()));

// restart connects again, as with another key.
export function restart() {
	end();
	start();
}

// useStatus returns { status, past, live, fault }, and draws the component again when it changes.
export function useStatus() {
	const [known, set] = useState(now);
	useEffect(() => {
		readers.add(set);
		set(now);
		start();
		return () => {
			readers.delete(set);
			if (!readers.size) end();
		};
	}, []);
	return known;
}

// Server-sent events by way of fetch, as an EventSource cannot send the key in a header.
import { Fault, headers } from './api.js';

const longest = 1 << 20; // characters of one event
const silence = 40_000; // milliseconds after which a stream counts as dead; the server sends something every 15 s

// events takes the text of a stream in pieces and returns the events that have come whole.
export function events() {
	let rest = '';
	return (piece) => {
		rest += piece;
		const blocks = rest.replaceAll('\r\n', '\n').split('\n\n');
		rest = blocks.pop();
		if (rest.length > longest) throw new Fault(0, 'the stream sends an event without an end');
		return blocks.map(read).filter((event) => event.data);
	};
}

function read(block) {
	const event = { name: 'message', data: '' };
	for (const line of block.split('\n')) {
		const colon = line.indexOf(':');
		if (colon <= 0) continue; // a comment, or a field without a value
		const value = line.slice(colon + 1).replace(/^ /, '');
		if (line.slice(0, colon) === 'event') event.name = value;
		if (line.slice(0, colon) === 'data') event.data += (event.data ? '\n' : '') + value;
	}
	return event;
}

// follow reads one connection to its end, and calls take with each event.
async function follow(path, take, signal) {
	const stop = new AbortController();
	let watch = setTimeout(() => stop.abort(), silence);
	try {
		const answer = await fetch(path, { headers: headers({ Accept: 'text/event-stream' }), signal: AbortSignal.any([signal, stop.signal]) });
		if (!answer.ok) throw new Fault(answer.status, `the server answered ${answer.status}`, Number(answer.headers.get('Retry-After')) || 0);
		const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
		const whole = events();
		for (;;) {
			const { value, done } = await reader.read();
			if (done) return;
			clearTimeout(watch);
			watch = setTimeout(() => stop.abort(), silence);
			for (const event of whole(value)) take(event);
		}
	} finally {
		clearTimeout(watch);
		stop.abort();
	}
}

const pause = (milliseconds, signal) => new Promise((resolve) => {
	const timer = setTimeout(resolve, milliseconds);
	signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});

// subscribe follows a stream until signal ends it, and connects again when it breaks, after 1 to 10 s; before that
// lost is called with the fault (null: the server has closed).
export async function subscribe(path, take, lost, signal) {
	let wait = 1000;
	while (!signal.aborted) {
		let fault = null;
		try {
			await follow(path, (event) => { wait = 1000; take(event); }, signal);
		} catch (cause) {
			fault = cause;
		}
		if (signal.aborted) return;
		lost(fault);
		await pause(Math.max(wait, (fault?.retryAfter || 0) * 1000), signal);
		wait = Math.min(wait * 2, 10_000);
	}
}

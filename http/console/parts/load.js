// What pages read from the API, and what they show while and when that fails.
import { html, useEffect, useReducer, useRef, useState } from '../vendor/preact.js';

// useLoad calls load(signal) now, when an input changes, and every so many milliseconds (0: never) while the tab is
// seen. It returns { value, fault, again }; a fault leaves the last value.
export function useLoad(load, inputs, every = 0) {
	const [state, set] = useState({ value: null, fault: null });
	const [turn, again] = useReducer((n) => n + 1, 0);
	const asked = useRef('');
	useEffect(() => {
		const stop = new AbortController();
		const ended = () => stop.signal.aborted;
		let timer = 0;
		let first = true;
		const run = async () => {
			if (first || !document.hidden) {
				first = false;
				try {
					const value = await load(stop.signal);
					if (!ended()) set({ value, fault: null });
				} catch (fault) {
					if (!ended()) set((s) => ({ ...s, fault }));
				}
			}
			if (every && !ended()) timer = setTimeout(run, every);
		};
		const question = JSON.stringify(inputs);
		if (question !== asked.current) set({ value: null, fault: null });
		asked.current = question;
		run();
		return () => { stop.abort(); clearTimeout(timer); };
	}, [...inputs, turn]);
	return { ...state, again };
}

// Trouble says what went wrong and offers to try again.
export function Trouble({ fault, again }) {
	if (!fault) return null;
	return html`<div class="trouble" role="alert">
		<p><strong>${fault.status === 404 ? 'Not there.' : 'That did not work.'}</strong> ${fault.message}${fault.retryAfter > 0 && ` Try again in ${fault.retryAfter} s.`}</p>
		${again && html`<button type="button" onClick=${again}>Try again</button>`}
	</div>`;
}

// Loaded shows a value once it is there; until then what is wrong.
export function Loaded({ of, children }) {
	if (of.value) return html`${of.fault && html`<${Trouble} fault=${of.fault} again=${of.again} />`}${children(of.value)}`;
	if (of.fault) return html`<${Trouble} fault=${of.fault} again=${of.again} />`;
	return html`<p class="quiet">Loading…</p>`;
}

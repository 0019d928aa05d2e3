// What a page shows on a Tipoff without facts: what to do next.
import { html, useState } from '../vendor/preact.js';
import { openEvents, postSamples } from './facts.js';
import { Trouble, useLoad } from './load.js';
import { say } from './say.js';

// First says that nothing is here yet and offers two ways on. done is called once facts were posted.
export function First({ done }) {
	const [busy, setBusy] = useState(false);
	const [fault, setFault] = useState(null);
	const begin = async () => {
		setBusy(true);
		setFault(null);
		try {
			await postSamples();
			say('Seven sample facts were posted.');
			done();
		} catch (cause) {
			setFault(cause);
		}
		setBusy(false);
	};
	return html`<section class="card">
		<h2>Nothing is here yet</h2>
		<p>Tipoff has no event that is open. Begin with a user, five events and a bet, or let a simulated sportsbook fill it:</p>
		<p><button type="button" class="main" id="samples" disabled=${busy} onClick=${begin}>Post seven sample facts</button></p>
		<pre>tipoff generate --realistic</pre>
		<${Trouble} fault=${fault} />
	</section>`;
}

// useEmpty says whether no event is open, and looks again every three seconds while none is.
export function useEmpty() {
	const found = useLoad((signal) => openEvents(1, {}, { signal }), [], 3000);
	return { empty: found.value?.events.length === 0, again: found.again };
}

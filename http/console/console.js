// The console: what all pages have around them. It is served as it stands here, without a build.
import { html, render, useEffect, useErrorBoundary, useRef, useState } from './vendor/preact.js';
import { pages } from './pages.js';
import { key, onKeyNeeded, setKey } from './parts/api.js';
import { href, useRoute } from './parts/route.js';
import { restart, useStatus } from './parts/status.js';
import { chooseTheme, chosenTheme, themes } from './parts/theme.js';

// Live says whether the numbers on the page are those of this moment.
function Live() {
	const { status, live } = useStatus();
	if (live) return html`<span class="state good" id="live">live</span>`;
	return html`<span class="state warn" id="live">${status ? 'connecting again' : 'connecting'}</span>`;
}

function ThemeSwitch() {
	const [theme, set] = useState(chosenTheme());
	const choose = (event) => { chooseTheme(event.target.value); set(event.target.value); };
	return html`<label class="theme"><span class="unseen">Colours</span>
		<select id="theme" value=${theme} onChange=${choose}>${themes.map((t) => html`<option value=${t} selected=${t === theme}>${t}</option>`)}</select>
	</label>`;
}

function Top({ page }) {
	const skip = (event) => { event.preventDefault(); document.getElementById('main').focus(); };
	return html`<a class="skip" href="#main" onClick=${skip}>Skip to the page</a>
		<header class="top">
			<a class="brand" href=${href('now')}><img src="/console/icon.svg" alt="" width="24" height="24" />Tipoff</a>
			<nav aria-label="Pages"><ul>${pages.map((p) => html`<li key=${p.name}>
				<a href=${href(p.name)} aria-current=${p === page ? 'page' : undefined}>${p.title}</a></li>`)}</ul></nav>
			<div class="tools"><${Live} /><a href="/docs">API</a><${ThemeSwitch} /></div>
		</header>`;
}

// KeyForm asks for the key of the API. take is called with what was entered.
function KeyForm({ take }) {
	const field = useRef(null);
	useEffect(() => field.current.focus(), []);
	const enter = (event) => { event.preventDefault(); take(field.current.value.trim()); };
	return html`<section class="card narrow">
		<h1>A key is needed</h1>
		<p>${key() ? 'The key that was entered does not fit. ' : ''}This Tipoff answers only those who send the value of
			<code>TIPOFF_API_KEY</code>. It is kept for this tab alone, and is forgotten when the tab is closed.</p>
		<form onSubmit=${enter} class="row">
			<label>Key <input ref=${field} id="key" type="password" autocomplete="off" required pattern=" *[!-~]+ *" title="letters, digits and signs of ASCII" /></label>
			<button type="submit" class="main">Enter</button>
		</form>
	</section>`;
}

// Guarded keeps a fault of one page from taking the rest with it.
function Guarded({ children }) {
	const [fault, reset] = useErrorBoundary((cause) => console.error(cause));
	if (!fault) return children;
	return html`<div class="trouble" role="alert"><p><strong>This page has a fault.</strong> ${String(fault)}</p>
		<button type="button" onClick=${reset}>Show it again</button></div>`;
}

function Console() {
	const route = useRoute();
	const page = pages.find((p) => p.name === route.page) || pages[0];
	const [asking, ask] = useState(false);
	const [entered, enter] = useState(0); // how many keys were: with another one every page reads again
	const main = useRef(null);
	const first = useRef(true);
	onKeyNeeded(() => ask(true));
	useEffect(() => {
		document.title = `${page.title} · Tipoff`;
		if (!first.current) { main.current.focus(); scrollTo(0, 0); }
		first.current = false;
	}, [page]);
	const take = (entry) => { setKey(entry); ask(false); enter(entered + 1); restart(); };
	return html`<${Top} page=${page} />
		<main id="main" tabindex="-1" ref=${main}>
			${asking ? html`<${KeyForm} take=${take} />` : html`<${Guarded} key=${`${page.name} ${entered}`}><${page.show} of=${route.of} /></${Guarded}>`}
		</main>`;
}

render(html`<${Console} />`, document.getElementById('console'));

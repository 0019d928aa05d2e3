// What goes on now: the way of the data with its rates and lags, and a bet that one sends through it oneself.
import { html, useEffect, useState } from '../vendor/htm-preact.module.js';
import { Chart } from '../parts/chart.js';
import { knownUser, openEvents, rememberUser } from '../parts/facts.js';
import { First, useEmpty } from '../parts/first.js';
import { Stages, useJourney } from '../parts/journey.js';
import { Trouble, useLoad } from '../parts/load.js';
import { WayOfData } from '../parts/map.js';
import { href } from '../parts/route.js';
import { useStatus } from '../parts/status.js';
import { bytes, eventName, milliseconds, number, rate, when } from '../parts/words.js';

const choices = 20; // events to bet on

function Figures({ status }) {
  const wrong = status.parts.filter((p) => p.state !== 'ready' && p.state !== 'absent');
  const figures = [
    ['posts', rate(status.posts_per_second)], ['recommendations', rate(status.lookups_per_second)],
    ['bet to changed answer', status.freshness ? `${milliseconds(status.freshness.p50_ms)} · p99 ${milliseconds(status.freshness.p99_ms)}` : 'no bet in a minute'],
    ['dead letters', number(status.rejected)], ['memory', bytes(status.memory_bytes)],
  ];
  return html`<dl class="figures">${figures.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
    <div><dt>parts</dt><dd>${wrong.length ? html`<a class="state bad" href=${href('health')}>${wrong.length} not ready</a>` : html`<a class="state good" href=${href('health')}>all ready</a>`}</dd></div></dl>`;
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
  return html`<section class="card"><h2>Send a bet through it</h2>
    <form class="row" onSubmit=${send}>
      <label>User <input id="better" value=${name} onInput=${(e) => setName(e.target.value)} maxlength="50" required autocomplete="off" /></label>
      <label class="grow">Event <select id="event" value=${event?.event_id} onChange=${(e) => choose(e.target.value)}>${open.map((e) => html`<option value=${e.event_id} selected=${e === event}>${eventName(e)} · ${e.league} · ${when(e.begin_timestamp)}</option>`)}</select></label>
      <button type="submit" class="main" id="send" disabled=${!event}>Send a bet of 10</button>
    </form>
    <${Trouble} fault=${user.fault || events.fault} again=${events.again} />
    ${bet && html`<p>${eventName(bet.event)} by <a href=${href('bettor', bet.user)}>${bet.user}</a>${bet.placed && html`: accepted in ${milliseconds(bet.placed.milliseconds)}, as this page saw it`}. Below: since it was accepted. The map shows the stages slowly, for the eye.</p>
      <${Trouble} fault=${bet.fault} />
      <${Stages} stages=${journey.stages} shown=${journey.shown} going=${bet.going} />`}
  </section>`;
}

function Past({ past }) {
  const times = past.map((p) => p.at);
  const line = (label, of) => ({ label, values: past.map((p) => p[of]) });
  return html`<div class="beside">
    <section class="card"><${Chart} title="Requests a second" times=${times} lines=${[line('posts', 'posts'), line('recommendations', 'lookups')]} digits=${1} fine /></section>
    <section class="card"><${Chart} title="From a bet to a changed answer" unit="ms" times=${times} lines=${[line('median', 'p50'), line('p99', 'p99')]} digits=${1} fine /></section>
  </div>`;
}

export function Now() {
  const { status, past, fault } = useStatus();
  const { empty, again } = useEmpty();
  const journey = useJourney();
  return html`<h1>Now</h1>
    <p class="lead">A bet goes in at the gateway, over the broker to whoever learns from it, and out as recommendations that have changed.</p>
    ${status && html`<${Figures} status=${status} />`}
    ${!status && fault && html`<${Trouble} fault=${fault} />`}
    <section class="card"><${WayOfData} status=${status} reached=${journey.shown} /></section>
    ${empty ? html`<${First} done=${again} />` : html`<${Bet} journey=${journey} empty=${empty} />`}
    <${Past} past=${past} />`;
}

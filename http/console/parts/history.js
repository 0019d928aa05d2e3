import { html, useState } from '../vendor/htm-preact.module.js';
import { get, path } from './api.js';
import { Loaded, useLoad } from './load.js';
import { href } from './route.js';
import { number, when } from './words.js';

const perPage = 10;

// History shows a user's coupons, as the database has them, a page at a time. bets makes it read again.
export function History({ user, bets }) {
  const [pages, turn] = useState(['']); // the cursors of the pages up to the one that is shown
  const page = useLoad((signal) => get(path('v1', 'users', user, 'coupons'), { n: perPage, cursor: pages.at(-1) }, { signal }), [user, pages.at(-1), bets], 5000);
  return html`<${Loaded} of=${page}>${({ coupons, cursor }) => html`
    ${coupons.length === 0 ? html`<p class="quiet">No coupon of ${user} is in the database yet.</p>` : html`<div class="scroll" tabindex="0" role="region" aria-label="Coupons"><table>
      <thead><tr><th scope="col">placed</th><th scope="col">events</th><th scope="col" class="n">odds</th><th scope="col" class="n">stake</th></tr></thead>
      <tbody>${coupons.map((c) => html`<tr key=${c.coupon_id}><td>${when(c.timestamp)}</td>
        <td>${c.selections.map((s, i) => html`${i > 0 && ', '}<a href=${href('event', s.event_id)}>${s.event_id}</a>${s.outcome && ` (${s.outcome})`}`)}</td>
        <td class="n">${number(c.selections.reduce((product, s) => product * s.odds, 1), 2)}</td><td class="n">${number(c.stake, 2)}</td></tr>`)}</tbody></table></div>`}
    <div class="row">${pages.length > 1 && html`<button type="button" onClick=${() => turn(pages.slice(0, -1))}>Newer</button>`}
      ${cursor && html`<button type="button" onClick=${() => turn([...pages, cursor])}>Older</button>`}</div>`}</${Loaded}>`;
}

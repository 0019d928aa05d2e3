// A chart over time, drawn by uPlot (a global of vendor/uplot.js), with a table behind it.
import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { Head, Scroll } from './shared.js';
import { colour, onTheme } from './theme.js';
import { clock, number, when } from './words.js';

const height = 180; // CSS pixels

// Lines differ in colour and in dashes, for those who cannot tell the colours.
const dashes = [[], [6, 3], [2, 2], [10, 4], [1, 3], [8, 2, 2, 2], [4, 4], [12, 3]];

function axis(more) {
	return { stroke: colour('--quiet'), grid: { stroke: colour('--rule'), width: 1 }, ticks: { stroke: colour('--rule'), width: 1 }, font: '11px system-ui, sans-serif', ...more };
}

function options(width, lines, band, digits, write) {
	const series = lines.map((line, i) => {
		const at = i % dashes.length;
		return { label: line.label, stroke: colour(`--line-${at + 1}`), dash: dashes[at], width: 1.75, points: { size: 4 } };
	});
	const edge = () => ({ stroke: 'transparent', width: 0, points: { show: false } });
	return {
		width,
		height,
		legend: { show: false },
		cursor: { show: false },
		scales: { x: { time: true }, y: { range: (u, low, high) => [Math.min(0, low ?? 0), (high || 1) * 1.08] } },
		axes: [axis({ space: 125, values: (u, values) => values.map((v) => write(v * 1000)) }), axis({ size: 52, values: (u, values) => values.map((v) => number(v, digits)) })],
		series: [{}, ...series, ...(band ? [edge(), edge()] : [])],
		bands: band ? [{ series: [lines.length + 2, lines.length + 1], fill: colour('--band') }] : [],
	};
}

function Legend({ lines, band }) {
	return html`<ul class="legend">
		${lines.map((line, i) => html`<li key=${line.label}><svg width="24" height="8" aria-hidden="true"><line x1="0" x2="24" y1="4" y2="4" style=${{ stroke: `var(--line-${i % dashes.length + 1})` }} stroke-dasharray=${dashes[i % dashes.length].join(' ')} /></svg>${line.label}</li>`)}
		${band && html`<li><svg width="24" height="10" aria-hidden="true"><rect width="24" height="10" class="band" /></svg>${band.label}</li>`}
	</ul>`;
}

function Behind({ times, lines, band, digits, title, write }) {
	const [open, set] = useState(false);
	const from = Math.max(0, times.length - 60);
	return html`<details onToggle=${(e) => set(e.target.open)}><summary>As a table</summary>
		${open && html`<${Scroll} name=${`${title}, as a table`}><table>
			<${Head} columns=${['time', ...lines.map((l) => `#${l.label}`), ...(band ? [`#${band.label}`] : [])]} />
			<tbody>${times.slice(from).map((t, i) => html`<tr key=${t}><th scope="row">${write(t * 1000)}</th>
				${lines.map((l) => html`<td class="n">${number(l.values[from + i], digits)}</td>`)}
				${band && html`<td class="n">${number(band.low[from + i], digits)} to ${number(band.high[from + i], digits)}</td>`}</tr>`)}</tbody>
		</table></${Scroll}>`}
	</details>`;
}

// Chart draws lines ({ label, values }, null where nothing is known) over times (Unix seconds, rising). band
// ({ label, low, high }) is a range that is shaded. fine: times are told to the second.
export function Chart({ title, times, lines, band, digits = 0, unit = '', fine = false }) {
	const write = fine ? clock : when;
	const place = useRef(null);
	const drawn = useRef(null);
	const data = [times, ...lines.map((l) => l.values), ...(band ? [band.low, band.high] : [])];
	const form = JSON.stringify([lines.map((l) => l.label), Boolean(band), digits]);
	const newest = useRef(data);
	newest.current = data;
	useEffect(() => {
		const draw = () => {
			drawn.current?.destroy();
			drawn.current = new uPlot(options(place.current.clientWidth || 300, lines, band, digits, write), newest.current, place.current);
		};
		draw();
		const sized = new ResizeObserver(() => drawn.current.setSize({ width: place.current.clientWidth || 300, height }));
		sized.observe(place.current);
		const forget = onTheme(draw);
		return () => { sized.disconnect(); forget(); drawn.current.destroy(); drawn.current = null; };
	}, [form]);
	useEffect(() => { drawn.current?.setData(newest.current); });
	const last = lines.map((l) => `${l.label} ${number(l.values.findLast((v) => v !== null && v !== undefined), digits)}${unit}`).join(', ');
	return html`<figure class="chart">
		<figcaption>${title}${unit && html` <span class="quiet">in ${unit}</span>`}</figcaption>
		<${Legend} lines=${lines} band=${band} />
		<div class="plot" ref=${place} role="img" aria-label=${`${title}. Last: ${last}.`}></div>
		<${Behind} times=${times} lines=${lines} band=${band} digits=${digits} title=${title} write=${write} />
	</figure>`;
}

// The client of the API. The key, where one is asked for, stays in this tab and travels in a header.
const keyName = 'tipoff key';
const patience = 20_000; // milliseconds for one answer

let keyNeeded = () => {};

// onKeyNeeded sets who is told that the server asks for a key, or for another one.
export function onKeyNeeded(told) {
	keyNeeded = told;
}

export function key() {
	return sessionStorage.getItem(keyName) || '';
}

export function setKey(value) {
	if (value) sessionStorage.setItem(keyName, value);
	else sessionStorage.removeItem(keyName);
}

// Fault is an answer that is no success, or none at all (status 0). Its message is for people.
export class Fault extends Error {
	constructor(status, message, retryAfter = 0) {
		super(message);
		this.status = status;
		this.retryAfter = retryAfter; // seconds; 0: not said
	}
}

export function headers(more = {}) {
	return key() ? { ...more, Authorization: `Bearer ${key()}` } : more;
}

async function faultOf(answer) {
	let problem = {};
	try {
		problem = await answer.json();
	} catch { /* no JSON: the status must do */ }
	const listed = problem.errors || problem.rejected || [];
	const faults = listed.slice(0, 5).map((e) => `${e.field ? `${e.field}: ` : ''}${e.message}`);
	const said = [problem.detail || problem.title || problem.error, ...faults].filter(Boolean).join('; ');
	return new Fault(answer.status, said || `the server answered ${answer.status}`, Number(answer.headers.get('Retry-After')) || 0);
}

// request returns the JSON of an answer. Parameters that are null, undefined or '' are left out.
export async function request(method, path, { query = {}, body, fresh = false, signal } = {}) {
	const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
	const url = given.length ? `${path}?${new URLSearchParams(given)}` : path;
	const more = fresh ? { 'Cache-Control': 'no-cache' } : {};
	if (body !== undefined) more['Content-Type'] = 'application/json';
	let answer;
	try {
		answer = await fetch(url, {
			method,
			headers: headers(more),
			body: body === undefined ? undefined : JSON.stringify(body),
			signal: AbortSignal.any([AbortSignal.timeout(patience), ...(signal ? [signal] : [])]),
		});
	} catch (cause) {
		if (signal?.aborted) throw cause;
		throw new Fault(0, 'The server does not answer. Is Tipoff running?');
	}
	if (answer.status === 401) keyNeeded();
	if (!answer.ok) throw await faultOf(answer);
	const value = await answer.json();
	if (answer.status === 207) throw new Fault(207, value.rejected.map((e) => `${e.field}: ${e.message}`).join('; '));
	return value;
}

export const get = (path, query, options = {}) => request('GET', path, { query, ...options });
export const post = (path, body, options = {}) => request('POST', path, { body, ...options });

// path joins parts of a path, each escaped.
export const path = (...parts) => `/${parts.map(encodeURIComponent).join('/')}`;

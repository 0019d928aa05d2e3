// The address of a page is behind the #: '#/bettor/bettor-1' is the page 'bettor' of 'bettor-1'.
import { useEffect, useState } from '../vendor/preact.js';

function read() {
	const [page = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/');
	let of = '';
	try {
		of = decodeURIComponent(rest.join('/'));
	} catch { /* a % that encodes nothing: no such id */ }
	return { page, of };
}

export const href = (page, of = '') => `#/${page}${of ? `/${encodeURIComponent(of)}` : ''}`;

export function go(page, of = '') {
	location.hash = href(page, of);
}

// useRoute returns { page, of }, what the address names.
export function useRoute() {
	const [route, set] = useState(read);
	useEffect(() => {
		const changed = () => set(read());
		addEventListener('hashchange', changed);
		return () => removeEventListener('hashchange', changed);
	}, []);
	return route;
}

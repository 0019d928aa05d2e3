// The pages, in the order in which the navigation lists them. A new page is a file in pages/ and a line here.
// show is given { of }: what comes after the page's name in the address.
import { Bettor } from './pages/bettor.js';
import { Event } from './pages/event.js';
import { Health } from './pages/health.js';
import { Now } from './pages/now.js';
import { Quality } from './pages/quality.js';
import { Rejected } from './pages/rejected.js';

export const pages = [
	{ name: 'now', title: 'Now', show: Now },
	{ name: 'bettor', title: 'Bettor', show: Bettor },
	{ name: 'event', title: 'Event', show: Event },
	{ name: 'quality', title: 'Quality', show: Quality },
	{ name: 'rejected', title: 'Dead letters', show: Rejected },
	{ name: 'health', title: 'Health', show: Health },
];

// Runs before the first paint, so that no page flashes in the other theme.
try {
	const chosen = localStorage.getItem('tipoff theme');
	if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch { /* a browser that keeps nothing follows the system */ }

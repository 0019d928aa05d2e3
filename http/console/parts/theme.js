// Light, dark, or as the system says.
const name = 'tipoff theme';
const readers = new Set();

export const themes = ['system', 'light', 'dark'];

export function chosenTheme() {
	return document.documentElement.dataset.theme || 'system';
}

export function chooseTheme(theme) {
	if (theme === 'system') delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = theme;
	try {
		localStorage.setItem(name, theme);
	} catch { /* then it is chosen for this page alone */ }
	for (const read of readers) read();
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
	for (const read of readers) read();
});

// onTheme calls read after each change of colours, until what it returns is called.
export function onTheme(read) {
	readers.add(read);
	return () => readers.delete(read);
}

// colour is what a custom property, as '--accent', comes to in the theme that is shown.
export function colour(property) {
	const probe = document.body.appendChild(document.createElement('i'));
	probe.style.color = `var(${property})`;
	const { color } = getComputedStyle(probe);
	probe.remove();
	return color;
}

export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

// say has a screen reader speak a text when it has finished what it is saying.
export function say(text) {
	const region = document.getElementById('said');
	if (region) region.textContent = text;
}

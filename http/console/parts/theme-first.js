// Runs before the first paint, so that a page in a chosen theme does not flash in the other.
try {
  const chosen = localStorage.getItem('tipoff theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch { /* a browser that keeps nothing follows the system */ }

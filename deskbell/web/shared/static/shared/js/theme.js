// Runs before the first paint, so that the chosen scheme never flashes. Without a choice the
// system's scheme holds.
try {
  const chosen = localStorage.getItem("deskbell-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch (error) {
  console.info("Deskbell: this browser keeps no choice of light or dark.", error);
}

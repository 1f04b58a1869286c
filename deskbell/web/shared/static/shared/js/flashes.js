// Screen readers announce changes of a status line, not what it held from the start: say it again.
const flashes = document.querySelector("[data-flashes]");
if (flashes?.childElementCount) {
  const said = [...flashes.children];
  flashes.replaceChildren();
  requestAnimationFrame(() => flashes.replaceChildren(...said));
}

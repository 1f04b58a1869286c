// A reply that is held counts down, and can be taken back; what is on its way is looked at again.
const PAUSES = [1_000, 1_500, 2_500, 4_000, 8_000, 15_000, 30_000, 60_000];

// Somewhere between two seconds the number changes; the server's clock decided how many are left.
function countDown(block) {
  const entry = block.closest(".entry")?.id.replace("article-", "");
  const toast = document.querySelector(`[data-toast="${entry}"]`);
  const numbers = [block, toast].flatMap((place) => [...(place?.querySelectorAll("[data-left]") ?? [])]);
  const end = performance.now() + Number(block.dataset.seconds) * 1_000;
  const timer = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1_000));
    for (const number of numbers) number.textContent = String(left);
    if (left > 0) return;
    clearInterval(timer);
    toast?.remove();
    lookAgain(block, 0);
  }, 200);
}

function lookAgain(block, times) {
  if (times >= PAUSES.length) return;
  setTimeout(async () => {
    let fresh;
    try {
      const answer = await fetch(block.dataset.mail, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const made = document.createElement("template");
      made.innerHTML = await answer.text();
      fresh = made.content.querySelector(".entry-mail");
    } catch (error) {
      console.info("Deskbell: how far the mail got is not known at present.", error);
      lookAgain(block, times + 1);
      return;
    }
    const had = block.contains(document.activeElement);
    const open = block.querySelector("details")?.open ?? false;
    if (fresh) {
      if (open) fresh.querySelector("details")?.setAttribute("open", "");
      block.replaceWith(fresh);
      if (had) fresh.querySelector("summary, button")?.focus({ preventScroll: true });
      if (fresh.dataset.mail) lookAgain(fresh, times + 1);
    } else {
      block.remove();
    }
  }, PAUSES[times]);
}

for (const block of document.querySelectorAll("[data-mail]")) {
  if (Number(block.dataset.seconds) > 0) countDown(block);
  else lookAgain(block, 0);
}

// Undo has its own key everywhere else, too; in a field it undoes typing.
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
  if (event.target.matches?.("input, textarea, select, [contenteditable]")) return;
  const button = document.querySelector("[data-undo]");
  if (!button) return;
  event.preventDefault();
  button.click();
});

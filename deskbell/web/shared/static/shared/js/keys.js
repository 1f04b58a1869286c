// Keys. An element with data-key is pressed (or, with data-key-focus, focused) by that key, so what
// a key does is what the page shows. Off while somebody types, in menus, and with modifiers.
const help = document.getElementById("keys");

function isTyping(target) {
  return (
    target.isContentEditable ||
    target.matches?.("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])")
  );
}

function visible(element) {
  return element.checkVisibility?.() ?? element.offsetParent !== null;
}

// j and k walk over the lines of a list; where there is none, over the entries of a ticket.
function step(direction) {
  const lines = [...document.querySelectorAll("[data-line]")].filter(visible);
  if (!lines.length) return false;
  const at = lines.indexOf(document.activeElement.closest?.("[data-line]") ?? null);
  const next = at < 0 ? (direction > 0 ? 0 : lines.length - 1) : at + direction;
  const line = lines[Math.min(Math.max(next, 0), lines.length - 1)];
  line.focus({ preventScroll: true });
  line.scrollIntoView({ block: "nearest" });
  return true;
}

function showHelp() {
  if (!help) return false;
  if (help.open) help.close();
  else help.showModal();
  return true;
}

// The caret goes into a field, and what it is sent with comes into sight.
function enter(id) {
  const field = document.getElementById(id);
  if (!field) return;
  field.focus({ preventScroll: true });
  field.closest("form")?.scrollIntoView({ block: "nearest", behavior: "instant" });
}

function press(key) {
  const element = [...document.querySelectorAll("[data-key]")].find(
    (candidate) => candidate.dataset.key === key,
  );
  if (!element) return false;
  if (element.dataset.keyFocus !== undefined) {
    element.focus();
    element.select?.();
  } else {
    element.click();
    if (element.dataset.focuses) enter(element.dataset.focuses);
  }
  return true;
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => {
    const line = document.activeElement.closest?.("a[data-line]");
    line?.click();
    return Boolean(line);
  },
  "?": showHelp,
};

// Some keys are two, one after the other: the first waits a moment for the second.
let first = "";
let waiting = 0;

function leads(letter) {
  return [...document.querySelectorAll("[data-key]")].some((element) =>
    element.dataset.key.startsWith(`${letter} `),
  );
}

function act(letter) {
  const begun = first;
  first = "";
  clearTimeout(waiting);
  if (begun && press(`${begun} ${letter}`)) return true;
  if (leads(letter)) {
    first = letter;
    waiting = setTimeout(() => {
      first = "";
    }, 1500);
    return true;
  }
  return (KEYS[letter] ?? (() => press(letter)))();
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isTyping(event.target)) {
    event.target.blur();
    return;
  }
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey) return;
  if (event.altKey && !event.getModifierState("AltGraph")) return;
  if (isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  // The letter where there is one, so that it is the same on every layout; for other scripts the
  // place of the key.
  const letter = /^[a-z/?]$/i.test(event.key) ? event.key : event.code.replace(/^Key/, "");
  if (act(letter.toLowerCase())) event.preventDefault();
});

// Apple's keyboards send with another key.
if (/^(Mac|iP)/.test(navigator.platform)) {
  for (const key of document.querySelectorAll("kbd")) {
    key.textContent = key.textContent.replace("Ctrl", "⌘");
  }
}

for (const button of document.querySelectorAll("[data-help-button]")) {
  button.hidden = false;
  button.addEventListener("click", showHelp);
}

// Choosing how to answer by pointer puts the caret where one types; arrow keys stay where they are.
for (const mode of document.querySelectorAll("input[data-focuses]")) {
  mode.addEventListener("click", (event) => {
    if (event.detail > 0) enter(mode.dataset.focuses);
  });
}

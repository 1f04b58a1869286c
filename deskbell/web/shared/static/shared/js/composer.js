// Answers: sent by keyboard, sent once, and not lost when the page is.
const KEEP_EVERY = 300;

function stored(work) {
  try {
    return work(sessionStorage);
  } catch (error) {
    console.info("Deskbell: this browser keeps no drafts.", error);
    return null;
  }
}

// The server says which drafts have become entries.
for (const sent of document.querySelectorAll("[data-sent-draft]")) {
  stored((storage) => storage.removeItem(`draft:${sent.dataset.sentDraft}`));
}

for (const form of document.querySelectorAll("form[data-sign-out]")) {
  form.addEventListener("submit", () => stored((storage) => storage.clear()));
}

for (const field of document.querySelectorAll("textarea[data-draft]")) {
  const key = `draft:${field.dataset.draft}`;
  const kept = stored((storage) => storage.getItem(key));
  if (kept && !field.value) field.value = kept;
  else if (kept && field.dataset.restored !== undefined && !field.value.includes(kept)) {
    // A reply that was taken back meets the next one that was begun meanwhile: both stay.
    field.value = `${field.value}\n\n${kept}`;
  }
  let timer;
  const keep = () =>
    stored((storage) =>
      field.value.trim() ? storage.setItem(key, field.value) : storage.removeItem(key),
    );
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, KEEP_EVERY);
  });
  addEventListener("pagehide", () => {
    clearTimeout(timer);
    if (!field.form.dataset.sending) keep();
  });
}

for (const form of document.querySelectorAll("form[data-composer]")) {
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.sending) {
      event.preventDefault();
      return;
    }
    form.dataset.sending = "true";
  });
}

// A page that comes back out of the browser's memory can be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) delete form.dataset.sending;
});

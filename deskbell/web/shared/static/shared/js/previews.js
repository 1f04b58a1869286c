// A text that is being written is shown in its message after a moment, without a click.
const PAUSE = 500;
// A form that is sent again at once forgets the first sending.
const APART = 60;

for (const form of document.querySelectorAll("[data-preview]")) {
  const buttons = [...form.querySelectorAll("[data-preview-button]")];
  for (const button of buttons) button.hidden = true;
  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      buttons.forEach((button, number) => {
        setTimeout(() => form.requestSubmit(button), number * APART);
      });
    }, PAUSE);
  });
}

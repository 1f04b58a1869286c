// A button beside each example that copies it. Without a clipboard (plain HTTP) the buttons stay
// hidden, and the text can be selected as ever.
const SHOWN_MILLISECONDS = 1600;

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const words = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch (error) {
        console.info("Deskbell: the browser did not let the example be copied.", error);
        button.textContent = "Not allowed";
      }
      setTimeout(() => {
        button.textContent = words;
      }, SHOWN_MILLISECONDS);
    });
  }
}

// The button that changes between light and dark; the choice stays in this browser.
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

for (const button of document.querySelectorAll("[data-theme-button]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const present = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    const next = present === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    try {
      localStorage.setItem("deskbell-theme", next);
    } catch (error) {
      console.info("Deskbell: this browser keeps no choice of light or dark.", error);
    }
  });
}

// The switch between the system's colours, dark and light.
const ORDER = ["system", "dark", "light"];
const SAYS = { system: "as the system says", dark: "dark", light: "light" };

export function switchTheme(button) {
  const show = () => { button.title = `Colours: ${SAYS[chosen()]}`; };
  button.addEventListener("click", () => {
    const next = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
    if (next === "system") {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem("recoup-theme");
    } else {
      document.documentElement.dataset.theme = next;
      localStorage.setItem("recoup-theme", next);
    }
    show();
  });
  show();
}

function chosen() {
  return document.documentElement.dataset.theme ?? "system";
}

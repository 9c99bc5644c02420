// Before anything is painted: the colours that were chosen last.
(() => {
  const chosen = localStorage.getItem("recoup-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();

// Arrow keys in lists: one item of a list can be reached with Tab, the others from it.
export function arrows(list, selector) {
  const items = () => [...list.querySelectorAll(selector)].filter((item) => item.offsetParent !== null);
  list.addEventListener("keydown", (event) => {
    const found = items();
    const place = found.indexOf(document.activeElement);
    if (place < 0) return;
    const to = {
      ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: found.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = found[Math.max(0, Math.min(found.length - 1, to))];
    for (const item of found) item.tabIndex = item === next ? 0 : -1;
    next.focus();
  });
}

export const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

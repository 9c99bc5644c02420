// Finds accounts by their id while it is typed.
import { ask } from "./ask.js";
import { fill, make } from "./dom.js";

const PAUSE_MS = 180;

export function searchAccounts(input, list) {
  let timer = null;
  let asked = 0;
  let active = -1;

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    const items = [...list.querySelectorAll("[role=option]")];
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!items.length) return;
      event.preventDefault();
      choose(items, (active + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length);
    } else if (event.key === "Enter" && items.length) {
      event.preventDefault();
      items[Math.max(0, active)].firstElementChild.click();
    }
  });
  list.addEventListener("click", (event) => {
    if (event.target.closest("a")) close();
  });
  document.addEventListener("click", (event) => {
    if (!list.contains(event.target) && event.target !== input) hide();
  });

  async function look() {
    const text = input.value.trim();
    asked += 1;
    const mine = asked;
    if (!text) return hide();
    let items;
    try {
      const found = await ask("/api/search", { q: text });
      items = found.length ? found.map(option) : [make("li", { class: "empty" }, "No account has this in its id.")];
    } catch (error) {
      items = [make("li", { class: "empty" }, error.message)];
    }
    if (mine !== asked) return undefined;
    active = -1;
    input.removeAttribute("aria-activedescendant");
    fill(list, items);
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    return undefined;
  }

  function choose(items, place) {
    active = place;
    items.forEach((item, other) => item.setAttribute("aria-selected", String(other === place)));
    input.setAttribute("aria-activedescendant", items[place].id);
    items[place].scrollIntoView({ block: "nearest" });
  }

  function hide() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    return undefined;
  }

  function close() {
    input.value = "";
    hide();
    input.blur();
  }
}

function option({ tenant_id: tenant, account_id: account }, place) {
  return make("li", { role: "option", id: `found-${place}`, "aria-selected": "false" },
    make("a", { href: `#/account/${encodeURIComponent(tenant)}/${encodeURIComponent(account)}`, tabindex: -1 },
      make("b", {}, account), make("span", { class: "note" }, tenant)));
}

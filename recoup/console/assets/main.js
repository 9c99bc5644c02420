// Starts the page: the stream, the pages behind the hash, the keys.
import { showDecisions } from "./decisions.js";
import { byId, say } from "./dom.js";
import { showFlow } from "./flow.js";
import { isTyping } from "./keys.js";
import { showMoney } from "./money.js";
import { showAccounts } from "./account.js";
import { showLetters } from "./letters.js";
import { searchAccounts } from "./search.js";
import { showSides } from "./sides.js";
import { Stream } from "./stream.js";
import { switchTheme } from "./theme.js";
import { setDecimals } from "./words.js";

const LIVE = { connecting: "connecting", live: "live", stale: "stale", away: "no connection" };
const NOW = ["flow", "money", "decisions", "denied", "in-force", "workers"];

if (new URLSearchParams(location.search).has("token")) {
  // The cookie says it from now on; an address is seen, kept and passed on.
  history.replaceState(null, "", location.pathname + location.hash);
}

switchTheme(byId("theme"));

const parts = {};
const listeners = [];
const page = {
  csrf: () => stream.csrf,
  announce: (text) => say(byId("announce"), text),
  // Called with all parts that are known and the names of those that changed.
  onParts: (listener) => listeners.push(listener),
};

showFlow(page);
showMoney(page);
showSides(page);
const decisions = showDecisions(page);
const accounts = showAccounts(page);
const letters = showLetters(page);
searchAccounts(byId("search"), byId("found"));

let state = "connecting";
const stream = new Stream("/api/stream", {
  onState(next) {
    if (next === state) return;
    if (next !== "connecting") page.announce(`The console is ${next === "live" ? "live" : `not live: ${LIVE[next]}`}.`);
    state = next;
    say(byId("live"), LIVE[next]);
    byId("live").dataset.state = next;
    document.body.dataset.live = next;
  },
  onUpdate(update) {
    if (update.hello) setDecimals(update.hello.decimals);
    const changed = Object.keys(update.parts ?? {});
    Object.assign(parts, update.parts);
    for (const listener of listeners) listener(parts, changed);
    decisions.take(update.rows ?? [], update.came ?? 0, Boolean(update.hello));
    document.documentElement.dataset.updates = String(stream.updates);
  },
});
document.documentElement.dataset.updates = "0";

function go() {
  const [, name = "flow", ...rest] = location.hash.split("/");
  const view = NOW.includes(name) || !["account", "letters"].includes(name) ? "now" : name;
  for (const other of ["now", "account", "letters"]) byId(`view-${other}`).hidden = other !== view;
  for (const tab of document.querySelectorAll(".tabs a")) {
    if (tab.dataset.view === view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  if (view === "account") accounts.go(rest.map(decoded));
  else if (view === "letters") letters.go(rest.map(decoded));
  else if (name !== "flow" && NOW.includes(name)) byId(name).scrollIntoView({ block: "start" });
  document.title = { now: "Recoup console", account: `${rest[1] ? `${decoded(rest[1])} – ` : ""}Accounts – Recoup`, letters: "Dead letters – Recoup" }[view];
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

addEventListener("hashchange", go);
go();

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key === "/") {
    event.preventDefault();
    byId("search").focus();
  } else if (event.key === "p" && !byId("view-now").hidden) {
    decisions.pause();
  }
});
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});

// Decisions as they happen. The lines stay where they are and only what they say changes, so nothing jumps.
import { byId, make, mark, say } from "./dom.js";
import { arrows } from "./keys.js";
import { clock, count, money, plural } from "./words.js";

const LINES = 30;
const BUFFER = 200;
const MINUTE_MS = 60_000;
const TELL_MS = 30_000;
const KINDS = { wait: "wait", contact: "contact", pre_due_reminder: "contact", hand_to_person: "person" };

const FILTERS = {
  all: () => true,
  acts: (row) => row.kind !== "wait",
  denied: (row) => Object.keys(row.denied).length > 0,
};

export function showDecisions(page) {
  const list = byId("decisions-rows");
  const button = byId("pause");
  let buffer = [];
  let filter = "all";
  let paused = false;
  let held = false;
  let missed = 0;
  let came = [];

  for (let line = 0; line < LINES; line += 1) list.append(makeLine(line));
  arrows(list, "a");
  list.addEventListener("pointerenter", () => { held = true; });
  list.addEventListener("pointerleave", () => { held = false; draw(); });
  list.addEventListener("focusin", () => { held = true; tell(); });
  list.addEventListener("focusout", () => { held = list.matches(":hover"); draw(); });
  button.addEventListener("click", () => pause());
  for (const choice of document.querySelectorAll("[data-filter]")) {
    choice.addEventListener("click", () => {
      filter = choice.dataset.filter;
      for (const other of document.querySelectorAll("[data-filter]")) {
        other.setAttribute("aria-pressed", String(other === choice));
      }
      draw();
    });
  }
  setInterval(tell, 1_000);
  setInterval(() => { if (came.length && !paused) page.announce(minutes()); }, TELL_MS);

  function pause() {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    say(button, paused ? "Go on" : "Pause");
    page.announce(paused ? "Paused." : "Going on.");
    draw();
  }

  function take(rows, number, first) {
    if (first) buffer = [];
    const known = new Set(buffer.map((row) => row.decision_id));
    buffer = [...rows.filter((row) => !known.has(row.decision_id)).reverse(), ...buffer].slice(0, BUFFER);
    if (!first && number) came.push([Date.now(), number]);
    missed += first ? 0 : number;
    if (paused || held) tell();
    else draw();
  }

  function draw() {
    if (paused || held) return tell();
    missed = 0;
    const shown = buffer.filter(FILTERS[filter]).slice(0, LINES);
    for (let line = 0; line < LINES; line += 1) setLine(list.children[line], shown[line]);
    return tell();
  }

  function minutes() {
    const now = Date.now();
    came = came.filter(([at]) => now - at < MINUTE_MS);
    return `${plural(came.reduce((sum, [, number]) => sum + number, 0), "decision")} in the last minute`;
  }

  function tell() {
    const newer = paused || held ? `${paused ? "paused" : "held while you look"}, ${count(missed)} newer` : "the newest are shown";
    say(byId("decisions-note"), `${minutes()}; ${newer}`);
  }

  tell();
  return { take, pause };
}

function makeLine(line) {
  const cells = ["time", "who", "action", "why", "rules", "stake right"].map((name) => make("span", { class: name }));
  return make("li", { "data-kind": "none" }, make("a", { tabindex: line === 0 ? 0 : -1 }, cells));
}

function setLine(item, row) {
  const link = item.firstElementChild;
  const [time, who, action, why, rules, stake] = link.children;
  mark(item, "kind", row ? (KINDS[row.kind] ?? "other") : "none");
  if (!row) {
    link.removeAttribute("href");
    for (const cell of link.children) say(cell, "");
    return;
  }
  link.href = `#/account/${encodeURIComponent(row.tenant_id)}/${encodeURIComponent(row.account_id)}`;
  say(time, clock(row.at));
  say(who, `${row.tenant_id} ${row.account_id}`);
  say(action, row.action);
  say(why, row.arm === "policy" ? row.why : `${row.why} (${row.arm.replace("_", " ")})`);
  const denied = Object.keys(row.denied);
  say(rules, denied.length > 1 ? `${denied[0]} +${denied.length - 1}` : (denied[0] ?? ""));
  say(stake, row.at_stake_minor ? `${money(row.at_stake_minor, row.currency)} ${row.currency}` : "");
  const sentences = Object.entries(row.denied).map(([rule, says]) => `${rule}: ${says}`);
  link.title = [`${row.action}${row.template ? ` (${row.template})` : ""}: ${row.why}`, ...sentences].join("\n");
}


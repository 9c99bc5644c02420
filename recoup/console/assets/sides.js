// What stands beside the flow: sources, stops, rules that deny, what is in force, workers, the count of dead letters.
import { byId, fill, keep, make, mark, say } from "./dom.js";
import { count, percent, plain, unsent } from "./words.js";

const HEADS = {
  Tenant: null,
  Model: "Scores how likely each customer pays",
  Policy: "Decides what is done about each account",
  Explores: "Share of the decisions that are drawn at random, to learn what works",
  "Holds out": "Share of the accounts that nobody contacts, to compare with",
};
const STATES = { waiting: "waiting", fine: "fine", late: "slow", away: "away" };

export function showSides(page) {
  fill(byId("in-force-body"), make("p", { class: "empty" }, "Waiting for Kafka."));
  fill(byId("workers-body"), make("p", { class: "empty" }, "Waiting for the workers."));
  fill(byId("denied-rows"), make("li", { class: "empty" }, "Waiting for the warehouse."));
  let away = "";
  page.onParts((parts, changed) => {
    const has = (name) => changed.includes(name);
    if (has("sources")) {
      keep(byId("systems"), parts.sources, makeSystem, setSystem);
      const now = parts.sources.filter((one) => one.state === "away").map((one) => one.system).join(", ");
      if (now !== away) page.announce(now ? `Away: ${now}.` : "All sources answer.");
      away = now;
      mark(document.body, "away", now.replaceAll(",", ""));
    }
    if (has("stopped")) say(byId("stopped"), parts.stopped.map(stop).join("; "));
    if (has("denied")) setDenied(parts.denied);
    if (has("in_force")) setInForce(parts.in_force);
    if (has("working")) setWorkers(parts.working.workers);
    if (has("heaps")) {
      const { open, atMost } = unsent(parts.heaps);
      say(byId("letters-badge"), atMost ? `≤ ${count(open)}` : count(open));
      byId("letters-badge").setAttribute("aria-label", `${atMost ? "at most " : ""}${count(open)} that nobody has sent again`);
    }
  });
}

function makeSystem() {
  return make("li", {}, make("i", { "aria-hidden": "true" }), make("b"), make("span"));
}

function setSystem(item, { system, state, says }) {
  mark(item, "state", state);
  say(item.children[1], system);
  say(item.children[2], says ? `${STATES[state]}: ${says}` : STATES[state]);
  item.title = says;
}

function stop({ tenant_id: tenant, channel, by, reason }) {
  const what = `${channel === "*" ? "All contacts" : channel} of ${tenant === "*" ? "all tenants" : tenant}`;
  return `${what} stopped by ${by || "somebody"}${reason ? `: ${reason}` : ""}`;
}

function setDenied(found) {
  const rules = new Map();
  for (const { tenant_id: tenant, rule, says, denials } of found) {
    const known = rules.get(rule) ?? { rule, says, denials: 0, tenants: [] };
    known.denials += denials;
    known.tenants.push(`${tenant} ${count(denials)}`);
    rules.set(rule, known);
  }
  const sorted = [...rules.values()].sort((a, b) => b.denials - a.denials);
  const top = sorted[0]?.denials ?? 1;
  const list = byId("denied-rows");
  const since = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000);
  say(byId("denied-note"), `since ${since.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}, times a channel was denied`);
  if (!sorted.length) {
    fill(list, make("li", { class: "empty" }, "No rule has denied anything."));
    return;
  }
  if (list.firstElementChild?.className === "empty") list.replaceChildren();
  keep(list, sorted, () => make("li", { class: "rule" }, make("p", {}, make("b"), make("span", { class: "number" })), make("p", { class: "says" }), make("i", { "aria-hidden": "true" })), (item, one) => {
    say(item.children[0].children[0], one.rule);
    say(item.children[0].children[1], count(one.denials));
    say(item.children[1], one.says);
    item.children[2].style.width = `${(100 * one.denials) / top}%`;
    item.title = `${one.says}\n${one.tenants.join(", ")}`;
  });
}

function setInForce(tenants) {
  const rows = tenants.map((one) => make("tr", {},
    make("th", { scope: "row" }, make("strong", {}, one.tenant_id), make("span", { class: "note" }, one.live ? one.name : "not live: nothing is decided")),
    make("td", { "data-head": "Model" }, make("code", {}, short(one.model)), one.challenger ? make("span", { class: "note" }, `beside it ${short(one.challenger)}`) : since(one.model_since)),
    make("td", { "data-head": "Policy" }, make("code", {}, one.policy), since(one.policy_since)),
    make("td", { class: "right", "data-head": "Explores" }, percent(one.explores)),
    make("td", { class: "right", "data-head": "Holds out" }, percent(one.holds_out))));
  fill(byId("in-force-body"), tenants.length
    ? make("table", {}, make("thead", {}, make("tr", {}, Object.entries(HEADS).map(([head, means], place) => make("th", { scope: "col", class: place > 2 ? "right" : "", title: means }, head)))), make("tbody", {}, rows))
    : make("p", { class: "empty" }, "No tenant is published: recoup tenants apply."));
}

const short = (model) => (/^[0-9a-f]{16,}$/.test(model) ? model.slice(0, 12) : model);

function since(at) {
  return make("span", { class: "note" }, at ? `since ${at.slice(0, 16).replace("T", " ")} UTC` : "nothing was released");
}

function setWorkers(workers) {
  const rows = workers.map((one) => make("tr", { "data-state": one.ready ? "fine" : "bad" },
    make("th", { scope: "row" }, make("i", { class: "lamp", "aria-hidden": "true" }), one.name),
    make("td", {}, one.state === "silent" ? "does not answer" : plain(one.state)),
    make("td", { class: "right" }, one.ready || one.partitions ? `${count(one.partitions)} partitions` : "")));
  fill(byId("workers-body"), make("table", {}, make("tbody", {}, rows)));
}

// One account: how it stands, its score, its last decision with all that was looked at, and its story.
import { ask } from "./ask.js";
import { byId, fill, make } from "./dom.js";
import { arrows } from "./keys.js";
import { count, moment, money, percent, plain, plural } from "./words.js";

const TOPICS = {
  "payment-events": "money", "crm-events": "customer", "interaction-events": "contact", "propensity-scores": "score",
  "next-best-actions": "decision", "contact-requests": "request", "customer-events": "told", "ledger-postings": "books",
};
const ASKED = {
  unread: "A reply waits for a person to read it",
  disputed: "A reply disputes what is owed",
  hardship: "A reply speaks of hardship",
  paid: "A reply says that the money is on its way",
  promised: "A reply promises to pay and names no day",
};
const HEADS = {
  Action: null,
  Worth: "Gain less cost, friction and scarcity; the greatest above 0 is chosen",
  Gain: "How much more is paid than without it, taken cautiously",
  Cost: "Money, and the time of staff",
  Friction: "The complaints and opt-outs that it may bring",
  Scarcity: "What the contact would bring later, because few are left",
  Pays: "Probability of paying with it",
  Left: "Contacts that law and policy leave, this one included",
  "Drawn with": "Probability with which it was chosen",
  Allowed: "By law, by the tenant and by the strategy",
};
const STORIES = { all: "All", money: "Money", contact: "Contacts", decision: "Decisions" };
const IN_STORY = {
  all: () => true,
  money: (line) => line.topic === "payment-events",
  contact: (line) => line.topic === "interaction-events" || line.topic === "contact-requests",
  decision: (line) => line.topic === "next-best-actions" || line.topic === "propensity-scores",
};

export function showAccounts(page) {
  const root = byId("view-account");
  let shown = "";

  async function go([tenant, account]) {
    if (!tenant || !account) {
      shown = "";
      fill(root, make("div", { class: "panel blank" }, make("h1", {}, "Accounts"),
        make("p", {}, "Type an account's id into the search above (press / to get there), or follow a line of the decisions.")));
      return;
    }
    const wanted = `${tenant}|${account}`;
    if (shown !== wanted) {
      shown = wanted;
      fill(root, heading(tenant, account, "looking it up"), make("div", { class: "panel blank loading" }));
    }
    let told;
    try {
      told = await ask("/api/account", { tenant, id: account });
    } catch (error) {
      if (shown === wanted) fill(root, heading(tenant, account, ""), make("div", { class: "panel blank" }, make("p", { class: "bad" }, error.message)));
      return;
    }
    if (shown !== wanted) return;
    draw(root, told, () => go([tenant, account]));
    page.announce(`Account ${account} of ${tenant}.`);
  }
  return { go };
}

function heading(tenant, account, note, refresh = null) {
  return make("header", { class: "heading" },
    make("div", {}, make("p", { class: "note" }, tenant), make("h1", {}, account)),
    make("p", { class: "note" }, note),
    refresh ? make("button", { type: "button", class: "quiet wide", onclick: refresh }, "Look again") : null);
}

function draw(root, told, refresh) {
  const { standing, time_zone: zone } = told;
  fill(root,
    heading(told.tenant_id, told.account_id, `Times are of ${zone}.`, refresh),
    make("div", { class: "columns" },
      make("div", { class: "stack" }, standingPanel(standing, zone), scorePanel(told.score, zone), contactsPanel(told.contacts, zone)),
      make("div", { class: "stack" }, decisionPanel(told, zone), storyPanel(told, zone))));
}

function panel(title, note, ...children) {
  return make("section", { class: `panel about-${title.split(" ").at(-1).toLowerCase()}`, "aria-label": title }, make("header", {}, make("h2", {}, title), note ? make("p", { class: "note" }, note) : null), make("div", { class: "inside" }, children));
}

function facts(pairs) {
  return make("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

// -- how it stands ----------------------------------------------------------------------------------------------------

function standingPanel(standing, zone) {
  if (!standing) return panel("How it stands", "", make("p", { class: "bad" }, "Redis holds no state of this account."));
  const owed = Object.entries(standing.balances_minor);
  const late = Math.max(0, ...standing.invoices.map((invoice) => invoice.days_past_due));
  return panel("How it stands", late ? `${plural(late, "day")} past due` : "nothing is overdue",
    make("p", { class: "big" }, owed.length ? owed.map(([currency, minor]) => `${money(minor, currency)} ${currency}`).join(", ") : "owes nothing"),
    standing.invoices.length ? invoices(standing.invoices, zone) : null,
    facts([
      ["Promises", standing.promises.join("; ")],
      ["Kept / broken", standing.promises_kept || standing.promises_broken ? `${standing.promises_kept} / ${standing.promises_broken}` : ""],
      ["Replies", standing.replies.map((reply) => `${ASKED[reply.what] ?? plain(reply.what)} (since ${moment(reply.since, zone)})`).join("; ")],
      ["Opted out of", standing.opted_out_of.join(", ")],
      ["Against contact", [...standing.flags.map(plain), standing.holds ? plural(standing.holds, "hold") : ""].filter(Boolean).join(", ")],
      ["Reached by", standing.channels.join(", ") || "nothing that is known"],
      ["Billing says", standing.claims.map((claim) => claims(claim, zone)).join("; ")],
      ["Paid before issue", standing.waiting_payments.join(", ")],
      ["Next look", standing.review_at ? moment(standing.review_at, zone) : "none is planned"],
    ]));
}

function claims(claim, zone) {
  const said = `${money(claim.asserted_minor, claim.currency)} ${claim.currency} at ${moment(claim.at, zone)}`;
  if (!claim.difference_minor) return `${said}, as we do`;
  return `${said}, ${money(Math.abs(claim.difference_minor), claim.currency)} ${claim.difference_minor > 0 ? "more" : "less"} than we do`;
}

function invoices(found, zone) {
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Open invoices" }, make("table", { class: "invoices" },
    make("thead", {}, make("tr", {}, ["Invoice", "Open", "Of", "Due", "Past due"].map((head, place) => make("th", { scope: "col", class: place ? "right" : "" }, head)))),
    make("tbody", {}, found.map((invoice) => make("tr", {},
      make("th", { scope: "row" }, make("span", { class: "cut" }, invoice.invoice_id),
        make("span", { class: "note" }, [invoice.disputed ? "disputed" : "", invoice.steps_taken.length ? `steps: ${invoice.steps_taken.join(", ")}` : ""].filter(Boolean).join("; "))),
      make("td", { class: "right" }, `${money(invoice.open_minor, invoice.currency)} ${invoice.currency}`),
      make("td", { class: "right" }, money(invoice.amount_minor, invoice.currency)),
      make("td", { class: "right" }, moment(invoice.due_at, zone).slice(0, 10)),
      make("td", { class: invoice.days_past_due ? "right bad" : "right" }, invoice.days_past_due ? plural(invoice.days_past_due, "day") : "–"))))));
}

// -- score -------------------------------------------------------------------------------------------------------------

function scorePanel(score, zone) {
  if (!score) return panel("Score", "", make("p", { class: "empty" }, "It has not been scored."));
  const days = score.expected_days === undefined || score.expected_days === null ? "" : score.days_low === undefined || score.days_low === null
    ? `${score.expected_days.toFixed(0)} days late as a rule`
    : `in ${score.expected_days.toFixed(0)} days; ${score.days_low.toFixed(0)} to ${score.days_high.toFixed(0)} for eight of ten`;
  const target = score.target === "paid_by_due" ? "paid by the due date" : `paid within ${score.horizon_days} days`;
  const bar = make("div", { class: "gauge", role: "img", "aria-label": `Probability ${percent(score.probability, 1)}` }, make("i"));
  bar.firstElementChild.style.width = `${100 * score.probability}%`;
  return panel("Score", moment(score.at, zone),
    make("p", { class: "big" }, percent(score.probability, 1), make("span", { class: "note" }, ` ${target}${score.band ? `, ${plain(score.band)}` : ""}`)),
    bar,
    score.reasons?.length ? make("ul", { class: "reasons" }, score.reasons.map((reason) => make("li", {}, reason))) : null,
    facts([["Invoice", score.invoice_id], ["Model", make("code", {}, score.model)], ["Give or take", score.uncertainty === undefined || score.uncertainty === null ? "" : percent(score.uncertainty, 1)], ["Money comes", days]]));
}

// -- decision ------------------------------------------------------------------------------------------------------------

function decisionPanel(told, zone) {
  const decision = told.decision;
  if (!decision) return panel("Last decision", "", make("p", { class: "empty" }, "Nothing has been decided yet."));
  const valued = decision.valued;
  return panel("Last decision", `no. ${count(decision.number)}, ${moment(told.decided_at, zone)}`,
    make("p", { class: "big" }, decision.action),
    make("p", { class: "why" }, `Because ${told.why}.`),
    facts([
      ["About", decision.invoices.length ? `invoice ${decision.invoices.join(", ")}` : ""],
      ["Looked at", decision.trigger === "event" ? "because something happened" : "because its review was due"],
      ["At stake", valued ? `${money(valued.at_stake_minor, valued.currency)} ${valued.currency}` : ""],
      ["Pays without us", valued ? percent(valued.pay_wait, 1) : ""],
      ["Policy", make("code", {}, decision.policy)],
      ["Arm", `${plain(decision.arm)}${valued?.experiment ? `; ${valued.experiment} holds ${percent(valued.hold_out)} out` : ""}`],
      ["Score used", `${decision.model} ${decision.score.toFixed(3)}`],
      ["Segment", valued?.segment],
      ["Looked at again", decision.review_at ? moment(decision.review_at, zone) : "when something happens"],
    ]),
    actions(decision, zone));
}

function actions(decision, zone) {
  const currency = decision.valued?.currency ?? "";
  const worth = (minor) => (minor === undefined ? "" : currency ? money(Math.round(minor), currency) : minor.toFixed(0));
  const heads = Object.keys(HEADS);
  const rows = decision.looked_at.map((one) => {
    const chosen = one.action === decision.action.replace(/, step .*$/, "");
    const denied = decision.denied.find((other) => other.action === one.action);
    const verdict = one.allowed ? make("span", { class: "yes" }, chosen ? "chosen" : "allowed") : make("span", { class: "no" }, "denied",
      make("span", { class: "note" }, denied?.until ? `until ${moment(denied.until, zone)}` : "waiting does not help"));
    return [
      make("tr", { class: chosen ? "chosen" : "", "data-allowed": String(one.allowed) },
        make("th", { scope: "row" }, one.action),
        [worth(one.value), worth(one.gain), worth(one.cost), worth(one.friction), worth(one.scarcity),
          one.pay_action === undefined ? "" : percent(one.pay_action, 1), one.left === undefined ? "" : count(one.left),
          one.allowed ? percent(one.probability, 1) : "–"].map((text, place) => make("td", { class: "right", "data-head": heads[place + 1] }, text)),
        make("td", { "data-head": "Allowed" }, verdict)),
      denied ? make("tr", { class: "because" }, make("td", { colspan: heads.length }, make("ul", {}, Object.entries(denied.rules).map(([rule, says]) => make("li", {}, make("b", {}, rule), ` ${says}`))))) : null,
    ];
  });
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Everything that was looked at" }, make("table", { class: "actions" },
    make("caption", {}, `Everything that was looked at${currency ? `, in ${currency}: worth = gain less cost, friction and scarcity` : ""}`),
    make("thead", {}, make("tr", {}, heads.map((head, place) => make("th", { scope: "col", class: place && place < 9 ? "right" : "", title: HEADS[head] }, head)))),
    make("tbody", {}, rows.flat())));
}

// -- what happened -------------------------------------------------------------------------------------------------------

function contactsPanel(contacts, zone) {
  return panel("Contacts", contacts.length ? `the newest ${count(Math.min(contacts.length, 12))}` : "",
    contacts.length ? make("ul", { class: "lines" }, contacts.slice(0, 12).map((line) => make("li", {}, make("time", {}, moment(line.at, zone)), make("span", {}, line.says)))) : make("p", { class: "empty" }, "Nobody has contacted this customer."));
}

function storyPanel(told, zone) {
  const list = make("ol", { class: "story", "aria-label": "Story, newest first" });
  const draw = (which) => {
    const lines = told.timeline.filter(IN_STORY[which]);
    fill(list, lines.length ? lines.map((line, place) => make("li", { tabindex: place ? -1 : 0, "data-topic": TOPICS[line.topic] ?? "refused" },
      make("time", {}, moment(line.at, zone)), make("b", {}, TOPICS[line.topic] ?? "refused"),
      make("div", {}, make("p", {}, line.says), line.why ? make("p", { class: "note" }, line.why) : null,
        Object.keys(line.denied).length ? make("p", { class: "note" }, "denied: ", Object.entries(line.denied).map(([rule, says]) => make("abbr", { title: says }, `${rule} `))) : null))) : make("li", { class: "empty" }, "Nothing of this kind."));
  };
  const choice = make("div", { class: "choice", role: "group", "aria-label": "Which part of the story" }, Object.entries(STORIES).map(([which, name]) => make("button", {
    type: "button", "aria-pressed": String(which === "all"), onclick: (event) => {
      for (const other of choice.children) other.setAttribute("aria-pressed", String(other === event.currentTarget));
      draw(which);
    },
  }, name)));
  draw("all");
  arrows(list, "li");
  return make("section", { class: "panel about-story", "aria-label": "Story" },
    make("header", {}, make("h2", {}, "Story"), make("p", { class: "note" }, told.cut ? "newest first; older lines are left out" : "newest first"), choice), list);
}

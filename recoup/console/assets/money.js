// What is owed, how old it is, what came in and what is expected, by tenant and currency.
import { byId, fill, keep, make, mark, say } from "./dom.js";
import { count, money, percent } from "./words.js";

const BUCKETS = ["current", "1-30", "31-60", "61-90", "90+"];
const HEADS = ["Tenant", "Outstanding", "Overdue", "How old it is, in days past due", "Collected today", "Yesterday", "Last 14 days", "Next 30 days"];

export function showMoney(page) {
  const rows = make("tbody");
  const table = make("table", { class: "ledger" },
    make("thead", {}, make("tr", {}, HEADS.map((head, place) => make("th", { scope: "col", class: place && place !== 3 && place !== 6 ? "right" : "" }, head)))),
    rows);
  const empty = make("p", { class: "empty" }, "Waiting for the warehouse.");
  fill(byId("money-body"), table, empty);

  page.onParts((parts, changed) => {
    if (!parts.money || !changed.some((name) => name === "money" || name === "forecast")) return;
    empty.hidden = parts.money.length > 0;
    say(empty, "Nothing has been billed or paid yet.");
    keep(rows, parts.money, makeRow, (row, one) => setRow(row, one, forecastOf(parts.forecast, one)));
  });
}

function forecastOf(forecast, one) {
  return forecast?.find((known) => known.tenant_id === one.tenant_id && known.currency === one.currency) ?? null;
}

function makeRow() {
  const cell = (name, head, ...children) => make("td", { class: name, "data-head": head }, ...children);
  return make("tr", {},
    make("th", { scope: "row" }, make("strong", {}), " ", make("span", { class: "note" })),
    cell("right open", "Outstanding"),
    cell("right overdue", "Overdue", make("span", {}), make("span", { class: "note" })),
    cell("ages", HEADS[3],
      make("div", { class: "ageing", role: "img" }, BUCKETS.map((_, place) => make("i", { class: `age-${place}` }))),
      make("ul", { class: "age-names" }, BUCKETS.map((bucket, place) =>
        make("li", {}, make("i", { class: `dot age-${place}`, "aria-hidden": "true" }), make("span", {}, bucket), make("b", {}))))),
    cell("right today", HEADS[4]),
    cell("right yesterday", HEADS[5]),
    cell("days", HEADS[6], make("div", { class: "bars", role: "img" }, Array.from({ length: 14 }, () => make("i")))),
    cell("right forecast", HEADS[7], make("span", {}), make("span", { class: "note" })));
}

function setRow(row, one, forecast) {
  const currency = one.currency;
  const brief = (minor) => money(minor, currency, { brief: true });
  const find = (selector) => row.querySelector(selector);
  say(find("th strong"), one.tenant_id);
  say(find("th .note"), currency);
  const exact = (selector, minor) => {
    const cell = find(selector);
    const place = cell.firstElementChild ?? cell;
    say(place, brief(minor));
    cell.title = `${money(minor, currency)} ${currency}`;
  };
  exact(".open", one.open_minor);
  exact(".overdue", one.overdue_minor);
  say(find(".overdue .note"), one.open_minor > 0 ? percent(one.overdue_minor / one.open_minor) : "");
  exact(".today", one.collected.at(-1));
  exact(".yesterday", one.collected.at(-2));
  setAges(row, one, brief);
  setDays(row, one, brief);
  const next = find(".forecast");
  say(next.firstElementChild, forecast ? brief(forecast.expected_minor) : "no forecast");
  say(next.lastElementChild, forecast ? `${brief(forecast.low_minor)} to ${brief(forecast.high_minor)}` : "");
  next.title = forecast
    ? `${brief(forecast.expected_minor)} ${currency} should come in, today among them; in eight of ten cases between ${brief(forecast.low_minor)} and ${brief(forecast.high_minor)}`
    : "Too little was booked lately to foresee anything";
  mark(next, "state", forecast ? "known" : "none");
}

function setAges(row, one, brief) {
  const found = BUCKETS.map((bucket) => one.buckets.find((known) => known.bucket === bucket) ?? { open_minor: 0, invoices: 0 });
  const positive = found.map((bucket) => Math.max(0, bucket.open_minor));
  const all = positive.reduce((sum, minor) => sum + minor, 0);
  const bar = row.querySelector(".ageing");
  const told = BUCKETS.map((bucket, place) => `${bucket}: ${brief(found[place].open_minor)} ${one.currency}`);
  bar.setAttribute("aria-label", told.join(", "));
  BUCKETS.forEach((bucket, place) => {
    const share = all ? positive[place] / all : 0;
    bar.children[place].style.width = `${100 * share}%`;
    bar.children[place].title = `${told[place]} on ${count(found[place].invoices)} invoices`;
    say(row.querySelector(".age-names").children[place].lastElementChild, all ? percent(share) : "–");
  });
}

function setDays(row, one, brief) {
  const top = Math.max(...one.collected, 1);
  const bars = row.querySelector(".bars");
  bars.setAttribute("aria-label", `Collected on each of the last 14 days, oldest first: ${one.collected.map(brief).join(", ")} ${one.currency}`);
  one.collected.forEach((minor, place) => {
    bars.children[place].style.height = `${Math.max(4, (100 * Math.max(0, minor)) / top)}%`;
    bars.children[place].title = `${brief(minor)} ${one.currency}, ${one.collected.length - 1 - place} days ago`;
  });
}

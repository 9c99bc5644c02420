// How much flows, how late it is, and the last five minutes of it.
import { byId, make, mark, say } from "./dom.js";
import { drawSpark, makeSpark } from "./spark.js";
import { count, milliseconds, plural, rate, unsent } from "./words.js";

const LATE_SECONDS = 10;
const SLOW_DECISION_MS = 1_000;
const SLOW_ROW_MS = 5_000;

const TILES = [
  { id: "events", title: "Events in", unit: "/s", about: "Events that came to Kafka, each second." },
  { id: "decisions", title: "Decisions", unit: "/s", about: "Decisions that were published, each second." },
  { id: "rows", title: "Rows landed", unit: "/s", about: "Rows that became visible in ClickHouse, each second." },
  { id: "lag", title: "Lag", unit: "messages", about: "Events that wait to be decided on, and for how long the oldest has." },
  { id: "to-decision", title: "Event to decision", unit: "p50", about: "From an event's arrival in Kafka to its published decision, last minute." },
  { id: "to-row", title: "Event to row", unit: "p50", about: "From a message's arrival in Kafka to its visible row, last minute." },
  { id: "letters", title: "Dead letters", unit: "to mend", about: "Messages that were refused and that nobody has sent again." },
];

export function showFlow(page) {
  const tiles = Object.fromEntries(TILES.map((tile) => [tile.id, makeTile(tile)]));
  byId("flow").append(...Object.values(tiles).map((tile) => tile.root));

  page.onParts((parts, changed) => {
    if (!changed.some((name) => ["stream", "working", "landed", "heaps", "sources"].includes(name))) return;
    const { stream, landed, heaps } = parts;
    // What workers said last is not how they do now: while they are away the warehouse tells.
    const silent = parts.sources?.some((one) => one.system === "Workers" && one.state === "away");
    const working = silent ? null : parts.working;
    if (stream) {
      set(tiles.events, rate(stream.events_per_second), peak(stream.events, stream.events_per_second), stream.events);
      set(tiles.decisions, rate(stream.decisions_per_second), peak(stream.decisions, stream.decisions_per_second), stream.decisions);
      const late = stream.lag_seconds > LATE_SECONDS;
      set(tiles.lag, count(stream.lag), stream.lag ? `oldest waits ${stream.lag_seconds.toFixed(1)} s` : "nothing waits", stream.lags);
      mark(tiles.lag.root, "state", late ? "bad" : "fine");
    }
    const here = working && working.rows_per_second !== null;
    const rows = here ? working.rows_per_second : landed?.rows_per_second;
    if (parts.working || landed) set(tiles.rows, rate(rows), here ? peak(working.rows, rows) : landed ? "last whole minute" : "nobody tells", working?.rows ?? []);
    if (heaps) {
      const { open, atMost } = unsent(heaps);
      const kinds = heaps.length ? `of ${plural(heaps.length, "kind")}` : "nothing was refused";
      set(tiles.letters, count(open), atMost ? `at most, ${kinds}` : kinds);
    }
    latency(tiles["to-decision"], working?.to_decision ?? landed?.to_decision, working?.to_decisions ?? [], SLOW_DECISION_MS);
    latency(tiles["to-row"], working?.to_row ?? landed?.to_row, working?.to_rows ?? [], SLOW_ROW_MS);
  });
}

function peak(points, now) {
  return `up to ${rate(Math.max(now, ...points.filter((point) => point !== null)))} in 5 minutes`;
}

function latency(tile, quantiles, points, slow) {
  set(tile, quantiles ? milliseconds(quantiles[0]) : "–", quantiles ? `p99 ${milliseconds(quantiles[1])}` : "nothing in the last minute", points);
  mark(tile.root, "state", quantiles && quantiles[1] > slow ? "bad" : "fine");
}

function makeTile({ id, title, unit, about }) {
  const value = make("strong", {}, "–");
  const note = make("span", { class: "note" }, "waiting");
  const spark = makeSpark();
  const root = make("article", { class: "tile", id: `tile-${id}`, title: about, "data-state": "fine" },
    make("h3", {}, title),
    make("p", { class: "value" }, value, make("span", { class: "unit" }, unit)),
    note, spark);
  return { root, value, note, spark };
}

function set(tile, value, note, points) {
  say(tile.value, value);
  say(tile.note, note);
  if (points) drawSpark(tile.spark, points);
}

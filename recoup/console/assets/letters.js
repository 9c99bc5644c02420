// Dead letters: how many there are and why, what one holds, and sending it again after it was mended and checked.
import { ask, tell } from "./ask.js";
import { byId, fill, make, mark, say } from "./dom.js";
import { arrows } from "./keys.js";
import { clock, count, moment, plain, plural } from "./words.js";

const PAGE = 50;

const hash = (...parts) => `#/letters/${parts.map(encodeURIComponent).join("/")}`;

export function showLetters(page) {
  const root = byId("view-letters");
  const heaps = make("ul", { class: "heaps", "aria-label": "By topic and reason" });
  const list = make("ul", { class: "letter-list", "aria-label": "Letters, newest first" });
  const more = make("button", { type: "button", class: "quiet wide", hidden: true }, "Show more");
  const detail = make("div", { class: "detail" });
  const note = make("p", { class: "note" });
  fill(root,
    make("h1", { class: "unseen" }, "Dead letters"),
    make("section", { class: "panel", "aria-label": "Reasons" }, make("header", {}, make("h2", {}, "Refused, by reason")), heaps),
    make("section", { class: "panel", "aria-label": "Letters" }, make("header", {}, make("h2", {}, "Letters"), note), list, more),
    make("section", { class: "panel", "aria-label": "Letter" }, make("header", {}, make("h2", {}, "Letter")), detail));
  arrows(heaps, "a");
  arrows(list, "a");
  let topic = null;
  let reason = null;
  let at = "";
  let known = [];

  page.onParts((parts, changed) => {
    if (!changed.includes("heaps")) return;
    known = parts.heaps;
    drawHeaps();
    if (root.hidden || topic === null) return;
    // Whoever is reading keeps the lines where they are.
    if (list.matches(":hover, :focus-within") || list.childElementCount > PAGE) say(note, "others have come since");
    else look(false);
  });
  more.addEventListener("click", () => look(true));

  async function go(parts) {
    const [nextTopic = "", nextReason = "", nextAt = ""] = parts;
    const other = nextTopic !== topic || nextReason !== reason;
    if (other) {
      [topic, reason] = [nextTopic, nextReason];
      list.replaceChildren();
      drawHeaps();
    }
    if (other || nextAt === at) await look(false);
    if (nextAt !== at || !nextAt) {
      at = nextAt;
      drawChosen();
      if (at) await show();
      else fill(detail, make("p", { class: "empty" }, "Choose a letter to see what it holds."));
    }
  }

  function drawHeaps() {
    const total = known.reduce((sum, heap) => sum + heap.letters, 0);
    const focused = document.activeElement?.closest(".heaps a")?.getAttribute("href");
    const items = [{ topic: "", reason: "", letters: total, name: "All of them" }, ...known.map((heap) => ({ ...heap, name: plain(heap.reason) }))];
    fill(heaps, items.map((heap) => {
      const chosen = heap.topic === topic && heap.reason === reason;
      return make("li", {}, make("a", { href: hash(heap.topic, heap.reason), "aria-current": chosen ? "true" : null, tabindex: chosen ? 0 : -1 },
        make("b", {}, heap.name), make("span", { class: "number" }, count(heap.letters)),
        make("span", { class: "note" }, heap.topic || "every topic"),
        make("span", { class: "note right" }, heap.replayed ? `${count(heap.replayed)} sent again` : "")));
    }));
    if (!heaps.querySelector("a[tabindex='0']")) heaps.querySelector("a").tabIndex = 0;
    if (focused) [...heaps.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
  }

  async function look(further) {
    const asked = [topic, reason].join("|");
    let found;
    try {
      found = await ask("/api/letters", { topic, reason, skip: further ? list.childElementCount : 0 });
    } catch (error) {
      fill(list, make("li", { class: "empty bad" }, error.message));
      return;
    }
    if (asked !== [topic, reason].join("|")) return;
    const focused = document.activeElement?.closest(".letter-list a")?.dataset.at;
    const items = found.letters.map(makeLetter);
    if (further) list.append(...items);
    else fill(list, items.length ? items : make("li", { class: "empty" }, "Nothing was refused."));
    more.hidden = !found.more;
    say(note, items.length ? "newest first, as they landed" : "");
    drawChosen();
    if (focused) [...list.querySelectorAll("a")].find((link) => link.dataset.at === focused)?.focus();
  }

  function makeLetter(letter) {
    return make("li", {}, make("a", { href: hash(topic, reason, letter.at), "data-at": letter.at, tabindex: -1 },
      make("b", {}, plain(letter.reason)),
      make("time", { title: new Date(letter.arrived_at).toISOString() }, clock(letter.arrived_at)),
      make("span", { class: "note cut" }, [letter.tenant_id, letter.account_id].filter(Boolean).join(" ") || letter.topic),
      make("span", { class: letter.replayed ? "note right fine" : "note right" }, letter.replayed ? "sent again" : letter.attempt > 1 ? `attempt ${letter.attempt}` : "")));
  }

  function drawChosen() {
    const links = [...list.querySelectorAll("a")];
    for (const link of links) {
      if (link.dataset.at === at) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      link.tabIndex = link.dataset.at === at ? 0 : -1;
    }
    if (links.length && !links.some((link) => link.tabIndex === 0)) links[0].tabIndex = 0;
  }

  async function show(said = "") {
    const wanted = at;
    fill(detail, make("p", { class: "empty" }, "Reading it from Kafka."));
    let letter;
    try {
      letter = await ask("/api/letter", { at: wanted });
    } catch (error) {
      if (wanted === at) fill(detail, make("p", { class: "empty bad" }, error.message));
      return;
    }
    if (wanted === at) fill(detail, ...drawLetter(letter, page, said, (came) => { look(false); show(came); }));
  }

  return { go };
}

function drawLetter(letter, page, said, again) {
  const value = make("textarea", { id: "letter-value", spellcheck: "false", rows: 16, readonly: !letter.editable }, letter.value);
  const rekey = make("input", { type: "checkbox", id: "rekey" });
  const result = make("p", { class: "result", role: "status" });
  const check = make("button", { type: "button", class: "primary" }, "Check");
  const send = make("button", { type: "button", disabled: true }, "Send again");
  const undo = make("button", { type: "button", class: "quiet wide", disabled: true }, "Undo changes");
  const wanted = () => ({ at: letter.at, value: value.value === letter.value ? null : value.value, rekey: rekey.checked });

  const changed = () => {
    send.disabled = true;
    undo.disabled = value.value === letter.value;
    say(result, letter.replayed ? said || "It was sent again before." : "Check it first: it is sent only if the pipeline would take it.");
    mark(result, "state", "none");
  };
  const during = async (button, what) => {
    const before = button.textContent;
    for (const one of [check, send]) one.disabled = true;
    say(button, "…");
    try {
      await what();
    } catch (error) {
      say(result, error.message);
      mark(result, "state", "bad");
    }
    say(button, before);
    check.disabled = letter.replayed;
  };
  value.addEventListener("input", changed);
  rekey.addEventListener("change", changed);
  undo.addEventListener("click", () => { value.value = letter.value; changed(); value.focus(); });
  check.addEventListener("click", () => during(check, async () => {
    const { verdict, says } = await tell("/api/letter/prove", wanted(), page.csrf());
    say(result, verdict === "refused" ? `It would be refused again: ${says}` : `Checked: ${says}.`);
    mark(result, "state", verdict === "refused" ? "bad" : "fine");
    send.disabled = verdict === "refused";
  }));
  send.addEventListener("click", () => during(send, async () => {
    const came = await tell("/api/letter/send", wanted(), page.csrf());
    if (came.sent) {
      letter.replayed = true;
      again(came.says);
      page.announce(came.says);
      return;
    }
    say(result, came.says);
    mark(result, "state", "bad");
  }));
  changed();
  if (letter.replayed) {
    check.disabled = true;
    mark(result, "state", "fine");
  }
  return [
    make("dl", { class: "facts" }, [
      ["Why", make("span", {}, make("b", {}, plain(letter.reason)), letter.field ? ` in ${letter.field}` : "", letter.detail ? `: ${letter.detail}` : "")],
      ["Lies at", make("code", {}, letter.at)],
      ["Came from", make("code", {}, letter.came_from)],
      ["First seen", letter.first_seen ? `${moment(letter.first_seen, "UTC")} UTC, ${plural(letter.attempt, "attempt")}` : plural(letter.attempt, "attempt")],
      ["Key", make("code", {}, letter.key || "none")],
      ["Size", plural(letter.size, "byte")],
      Object.keys(letter.headers).length ? ["Headers", make("code", {}, Object.entries(letter.headers).map(([name, said]) => `${name}=${said}`).join(" "))] : ["", ""],
    ].filter(([name]) => name).map(([name, said]) => [make("dt", {}, name), make("dd", {}, said)])),
    make("label", { for: "letter-value" }, letter.editable ? "What it holds; change it here" : "What it holds; it is no short text, so it can only be sent as it is"),
    value,
    make("label", { class: "check" }, rekey, "Take the key from the message's own tenant and account"),
    make("div", { class: "buttons" }, check, send, undo),
    result,
  ];
}

// Numbers, money and times as people read them.
let digits = {};

export const setDecimals = (found) => { digits = found; };

const decimalsOf = (currency) => digits[currency] ?? 2;

// 1,234.50; without decimals when there is no room for them and they do not matter.
export function money(minor, currency, { brief = false } = {}) {
  if (minor === null || minor === undefined) return "–";
  const places = decimalsOf(currency);
  const major = minor / 10 ** places;
  const shown = brief && Math.abs(major) >= 10_000 ? 0 : places;
  return major.toLocaleString("en-US", { minimumFractionDigits: shown, maximumFractionDigits: shown });
}

export function count(value) {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en-US");
}

export function rate(value) {
  if (value === null || value === undefined) return "–";
  return value !== 0 && value < 10 ? value.toFixed(1) : count(value);
}

export function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${count(value)} ms`;
}

export const percent = (share, places = 0) =>
  share === null || share === undefined ? "–" : `${(100 * share).toFixed(places)} %`;

const two = (number) => String(number).padStart(2, "0");

export function clock(epochMs) {
  const at = new Date(epochMs);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

// A moment on a zone's calendar: 2026-11-28 09:33.
export function moment(at, zone) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).formatToParts(new Date(at)).map((part) => [part.type, part.value]));
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}`;
}

// How many dead letters nobody has sent again; of too many that were sent again only the most there can be is known.
export function unsent(heaps) {
  const open = heaps.reduce((sum, heap) => sum + heap.letters - (heap.replayed ?? 0), 0);
  return { open, atMost: open > 0 && heaps.some((heap) => heap.replayed === null) };
}

export const plain = (code) => String(code).replaceAll("_", " ");

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

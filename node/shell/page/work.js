// What takes longer than a second, said in words above whatever is looked at: what the page does
// itself, and what the node does.
import { get, Refused } from "./api.js";
import { $, grouped, h, many, put, say } from "./dom.js";

const SAY_EVERY_MS = 15000; // to screen readers, which are told of the beginning and the end, too

/* ---- rows ---------------------------------------------------------------------------------------- */

const rows = new Map();

function makeRow(name) {
  const words = h("span", {}), bar = h("progress", { max: 1, "aria-label": "Progress" });
  const row = { words, bar, element: h("div", { class: "work", "data-work": name }, words, bar), said: 0 };
  rows.set(name, row);
  put($("work"), row.element);
  return row;
}

// Shows how far it is; fraction: 0 to 1, or null when nobody knows.
export function working(name, words, fraction = null) {
  const row = rows.get(name) || makeRow(name);
  if (row.words.textContent !== words) row.words.textContent = words;
  if (fraction === null) row.bar.removeAttribute("value");
  else row.bar.value = fraction;
  $("work").hidden = false;
  if (Date.now() - row.said < SAY_EVERY_MS) return;
  row.said = Date.now();
  say(words);
}

export function worked(name, words) {
  const row = rows.get(name);
  if (!row) return;
  row.element.remove();
  rows.delete(name);
  $("work").hidden = rows.size === 0;
  if (words) say(words);
}

/* ---- what the node does ------------------------------------------------------------------------ */

const KINDS = {
  judging: ["Everything stored is checked.", (told) => `Starting up: ${many(told.judging, "part")} left to check.`],
  fetching: ["Up to date.", (told, begun) => `Fetching posts: ${grouped(Math.max(0, told.entries - begun.entries))} new so far.`],
  purging: ["What you dropped is removed.", (told, begun) => [`Removing dropped posts: ${grouped(told.purging)} left.`, begun.purging > 0 ? 1 - told.purging / begun.purging : null]],
  indexing: ["Search is ready.", (told) => `Preparing search: ${many(told.indexed, "post")} so far.`],
  compacting: ["Disk space is freed.", () => "Freeing disk space."],
};
const FAST_MS = 1000, SLOW_MS = 3000;
const begun = new Map(); // kind: {at, told}

function tellOf(kind, told, [ended, words]) {
  const first = begun.get(kind);
  if (!told[kind]) {
    begun.delete(kind);
    worked("node " + kind, ended);
  } else if (!first) {
    begun.set(kind, { at: Date.now(), told });
  } else if (Date.now() - first.at >= 900) { // what is over within a second is not worth a word
    const [text, fraction] = [words(told, first.told)].flat();
    working("node " + kind, text, fraction);
  }
}

let timer;
async function look() {
  clearTimeout(timer);
  try {
    if (document.visibilityState === "visible") {
      const told = await get("work");
      for (const [kind, words] of Object.entries(KINDS)) tellOf(kind, told, words);
    }
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return;
    for (const kind of Object.keys(KINDS)) { begun.delete(kind); worked("node " + kind); }
  }
  timer = setTimeout(look, begun.size > 0 ? FAST_MS : SLOW_MS);
}

// From now on, for as long as somebody is let in.
export function watchWork() {
  document.addEventListener("slow", look); // what was asked for takes its time: perhaps the node says more
  timer = setTimeout(look, FAST_MS); // the page itself comes first
}

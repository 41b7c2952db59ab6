// The store, looked through from beginning to end; and what to type when something of it is damaged.
import { get } from "./api.js";
import { act, button, fill, h, many } from "./dom.js";
import { shortKey } from "./text.js";
import { worked, working } from "./work.js";

const DAMAGES_SHOWN = 50;

function damage(one) {
  const where = one.seq_low ? [one.seq_low === one.seq_high ? `entry ${one.seq_low}` : `entries ${one.seq_low} to ${one.seq_high}`, one.author ? [" of ", h("a", { href: "#/who/" + one.author }, shortKey(one.author))] : null] : one.author ? ["of ", h("a", { href: "#/who/" + one.author }, shortKey(one.author))] : ["a record of the kind ", one.row];
  return h("li", {}, one.words, ": ", where);
}

function checkOutcome(checked, damages) {
  if (damages.length === 0) return h("p", { "data-damages": 0 }, h("strong", {}, "Everything is intact: "), `${many(checked.entries, "entry", "entries")} and ${many(checked.records, "key record")} were checked.`);
  return h("div", { "data-damages": damages.length },
    h("p", { class: "warn" }, `${many(damages.length, "damaged place")} found. The rest is intact.`),
    h("ul", {}, damages.slice(0, DAMAGES_SHOWN).map(damage)),
    h("p", {}, "Stop the node, then type ", h("code", {}, "parley rebuild"), ", which makes the indexes again. ", h("code", {}, "parley repair"), " is the last resort: it first makes a copy of the database, and says what is lost."));
}

// Page by page, beside whatever the node does.
async function check(box, entries) {
  const checked = { entries: 0, records: 0 }, damages = [];
  try {
    for (let cursor; cursor !== null;) {
      const page = await get("check", { cursor });
      checked.entries += page.entries;
      checked.records += page.records;
      damages.push(...page.damages);
      cursor = page.next;
      const words = `Checking: ${checked.entries.toLocaleString("en")} of ${many(entries, "entry", "entries")}${damages.length > 0 ? `, ${damages.length} damaged` : ""}.`;
      box.textContent = words;
      working("check", words, entries > 0 ? Math.min(1, checked.entries / entries) : null);
    }
    fill(box, checkOutcome(checked, damages));
  } finally {
    worked("check", "The check is done.");
  }
}

let last = null; // stays while other views are looked at

export function upkeep(status) {
  last ||= h("div", { role: "status" });
  return h("section", { class: "card" }, h("h2", {}, "Check"),
    h("p", { class: "soft" }, "Checks every stored entry against its author's keys. You can go on using the page meanwhile."),
    button("Check everything stored here", act(() => check(last, status.entries))), last);
}

// The store, looked through from beginning to end; and what to type when something of it is damaged.
import { get } from "./api.js";
import { act, button, fill, h, many } from "./dom.js";
import { shortKey } from "./text.js";
import { worked, working } from "./work.js";

const DAMAGES_SHOWN = 50;

function damage(one) {
  const where = one.seq_low ? [one.seq_low === one.seq_high ? `entry ${one.seq_low}` : `entries ${one.seq_low} to ${one.seq_high}`, one.author ? [" of ", h("a", { href: "#/who/" + one.author }, shortKey(one.author))] : null] : one.author ? ["of ", h("a", { href: "#/who/" + one.author }, shortKey(one.author))] : ["a row of the kind ", one.row];
  return h("li", {}, one.words, ": ", where);
}

function outcome(checked, damages) {
  if (damages.length === 0) return h("p", { "data-damages": 0 }, h("strong", {}, "All of it holds: "), `${many(checked.entries, "entry", "entries")} and ${many(checked.records, "record")} of keys were verified.`);
  return h("div", { "data-damages": damages.length },
    h("p", { class: "warn" }, `${many(damages.length, "damage")} found. The rest is whole.`),
    h("ul", {}, damages.slice(0, DAMAGES_SHOWN).map(damage)),
    h("p", {}, "Stop the node, then type ", h("code", {}, "parley rebuild"), ", which makes the indexes anew; ", h("code", {}, "parley repair"), " is the last resort: it copies the database aside first and says what is lost. Both say how far they are."));
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
      const words = `Checking: ${many(checked.entries, "entry", "entries")} of ${entries} so far, ${many(damages.length, "damage")}.`;
      box.textContent = words;
      working("check", words, entries > 0 ? Math.min(1, checked.entries / entries) : null);
    }
    fill(box, outcome(checked, damages));
  } finally {
    worked("check", "The check is done.");
  }
}

let last = null; // stays while other views are looked at

export function upkeep(status) {
  last ||= h("div", { role: "status" });
  return h("section", { class: "card" }, h("h2", {}, "Check"),
    h("p", { class: "soft" }, "Every entry against its author's keys, every index against the entries. It goes on beside everything else."),
    button("Check all that is here", act(() => check(last, status.entries))), last);
}

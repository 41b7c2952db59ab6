// Posts as files: out of the node, and into it.
import { get, getPage, part, sendBytes } from "./api.js";
import { Damaged, sections, Writer } from "./bundle.js";
import { act, button, bytes, fill, grouped, h, many, put } from "./dom.js";
import { tell } from "./post.js";
import { learnPeople, learnSelf, state } from "./state.js";
import { oneLine, plainName, shortKey } from "./text.js";
import { worked, working } from "./work.js";


/* ---- out ----------------------------------------------------------------------------------------- */

// Letters and digits alone: the name is a stranger's, and the file lands among the owner's own.
export function fileNameOf(author, name) {
  const plain = (name || "").normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  return `parley-${plain || author.slice(7, 15)}-${new Date().toISOString().slice(0, 10)}.parley`;
}

function handOver(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000); // the browser has begun by then
}

// All that is here of a person, as a file that needs nothing else to be verified.
export async function saveFile(author, name) {
  const called = plainName(author, name), row = "out " + author;
  const writer = new Writer(), total = (await get("people/" + part(author))).entries;
  try {
    working(row, `Saving a copy for ${called}…`);
    for (let cursor = undefined; cursor !== null;) {
      const page = await getPage("export", { author, cursor });
      await writer.add(page.bytes);
      cursor = page.next;
      working(row, `Saving a copy for ${called}: ${many(writer.entries, "entry", "entries")}, ${bytes(writer.size)}.`, total > 0 ? Math.min(1, writer.entries / total) : null);
    }
    const file = fileNameOf(author, name);
    handOver(writer.end(), file);
    return `Saved as ${file}: ${many(writer.entries, "entry", "entries")}, ${bytes(writer.size)}. Your browser has it now.`;
  } finally {
    worked(row);
  }
}

function saver(author, name, words, attributes = {}) {
  const said = h("p", { class: "soft", role: "status" });
  return h("div", {}, button(words, act(async () => {
    said.textContent = "Saving…";
    try {
      said.textContent = await saveFile(author(), name());
    } catch (error) {
      said.textContent = "";
      throw error;
    }
  }), attributes), said);
}

function othersForm() {
  const known = state.people.filter((one) => one.known && !one.self);
  if (known.length === 0) return null;
  const choice = h("select", { "aria-label": "Whose posts" }, known.map((one) => h("option", { value: one.author }, `${plainName(one.author, one.name)} (${shortKey(one.author)})`)));
  return h("details", { class: "extra" }, h("summary", {}, "Posts by somebody else"),
    h("p", { class: "soft" }, "All their posts that are on this node, with what proves whose they are."), choice,
    saver(() => choice.value, () => known.find((one) => one.author === choice.value)?.name, "Save a copy of theirs"));
}

/* ---- in ------------------------------------------------------------------------------------------ */

// A page of sections that the node takes at once; and how often it is asked again when it has no room.
const PAGE_BYTES = 900000, TRIES = 100, WAIT_MS = 200;

class Sum {
  constructor() {
    this.entries = this.added = this.records = this.passedOver = 0;
    this.passed = [];
    this.damage = null;
  }

  take(told) {
    this.entries += told.entries;
    this.added += told.added;
    this.records += told.records;
    this.passedOver += told.passed_over;
    this.passed.push(...told.passed.slice(0, 50 - this.passed.length));
  }
}

// What a page brought before the node had no room stays: sent again, it is held already.
async function sendPage(parts, sum, isStopped) {
  const page = new Blob(parts);
  let added = 0;
  for (let tries = 1; page.size > 0; tries++) {
    const told = await sendBytes("import", page);
    added += told.added;
    const waits = told.problem?.error === "RETRY" && tries < TRIES && !isStopped();
    if (!waits) {
      sum.take({ ...told, added });
      if (told.problem) throw new Error(told.problem.detail);
      return;
    }
    await new Promise((done) => setTimeout(done, WAIT_MS));
  }
}

// Of each run the newest chunk goes first, which vouches for the one below it (SPEC 7.6.2).
async function bringIn(file, { onStep, isStopped }) {
  const sum = new Sum();
  let parts = [], size = 0, run = [], next = null, sent = 0;
  const send = async () => {
    const page = parts;
    sent += size;
    parts = [];
    size = 0;
    await sendPage(page, sum, isStopped);
    onStep(sum, sent, false);
  };
  const push = async ({ start, end }) => {
    if (size + end - start > PAGE_BYTES) await send();
    parts.push(file.slice(start, end));
    size += end - start;
  };
  const endRun = async () => {
    for (const chunk of run.reverse()) if (!isStopped()) await push(chunk);
    run = [];
  };
  let counted = 0;
  try {
    for await (const section of sections(file)) {
      if (isStopped()) break;
      if (sent === 0) onStep(sum, section.end, true);
      const continues = section.kind === "chunk" && next && section.log === next.log && section.seq === next.seq;
      if (!continues) await endRun();
      if (section.kind === "chunk") {
        run.push({ start: section.start, end: section.end });
        counted += section.count;
        next = { log: section.log, seq: section.seq + section.count };
      } else if (section.kind === "record") {
        await push(section);
      } else if (!section.holds || section.count !== counted) {
        sum.damage = new Damaged(section.start, "the end of the file does not fit the rest: a part is missing or was changed");
      }
    }
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    sum.damage = error;
    await endRun();
  }
  if (!isStopped()) await send();
  return sum;
}

function refusal(one) {
  const where = one.log ? [one.low === one.high ? `Entry ${grouped(one.low)}` : `Entries ${grouped(one.low)} to ${grouped(one.high)}`, " of log ", h("span", { class: "key", title: one.log }, one.log.slice(0, 12) + "…")] : ["A record of somebody's keys"];
  return h("li", {}, where, `: ${one.detail}.`);
}

// The verdict in one sentence; what only whoever wrote the file can use stands behind a click.
function verdict(sum, isGood, isStopped) {
  if (isStopped) return "Stopped. What was imported until then stays.";
  if (isGood) return sum.added > 0 ? `Imported: ${many(sum.added, "new entry", "new entries")}.` : "Nothing new: everything in it was already here.";
  if (sum.entries > 0) return "Only a part could be imported: the rest of the file is damaged or was changed.";
  return sum.damage && sum.damage.offset === 0 ? "Nothing was imported: this is no file of posts." : "Nothing was imported: the file is damaged or was changed.";
}

function importOutcome(name, sum, isStopped) {
  const isGood = !sum.damage && sum.passed.length === 0;
  const held = sum.entries - sum.added;
  return h("div", { "data-outcome": isGood && !isStopped ? "good" : "not" },
    h("p", { class: isGood && !isStopped ? "good" : "warn" }, h("strong", {}, verdict(sum, isGood, isStopped))),
    h("p", { class: "soft" }, "File: “", h("bdi", { dir: "auto" }, name), "”"),
    h("dl", {},
      h("dt", {}, "New here"), h("dd", {}, many(sum.added, "entry", "entries")),
      h("dt", {}, "Already here"), h("dd", {}, many(held, "entry", "entries")),
      h("dt", {}, "Refused"), h("dd", {}, sum.passedOver > 0 || sum.passed.length === 0 ? many(sum.passedOver, "entry", "entries") : many(sum.passed.length, "record"))),
    isGood ? null : h("p", {}, "Ask whoever gave you the file for a new copy, or type ", h("code", {}, "parley import FILE"), " in a terminal, which may get more out of it."),
    isGood ? null : h("details", { class: "extra" }, h("summary", {}, "Technical details"),
      sum.passed.length > 0 ? [h("p", {}, "Refused by the node, in groups of up to some hundred entries:"), h("ul", {}, sum.passed.map(refusal))] : null,
      sum.damage ? h("p", {}, `Damaged at byte ${grouped(sum.damage.offset)}: ${sum.damage.message}.`) : null),
    h("p", { class: "soft" }, "Importing follows nobody. Posts by people you do not follow appear on their own pages and in search."));
}

// Marks that turn letters round are shown for what they are: a name must not read as another.
const MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const shownName = (name) => (oneLine(name).slice(0, 200) || "a file").replace(MARKS, (mark) => `[U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

// Goes on while other views are looked at; the view shows what there is of it.
let current = null, isRunning = false;

async function startImport(file, box) {
  let isStopped = false;
  isRunning = true;
  const name = shownName(file.name);
  const words = h("p", {}), bar = h("progress", { max: 1, value: 0, "aria-label": "Progress" });
  current = h("div", {}, words, bar, h("div", { class: "row" }, button("Stop", () => { isStopped = true; words.textContent = "Stopping…"; })));
  fill(box, current);
  let shown = 0;
  // It is read and sent in turns; of one long run all is read first. A few times a second.
  const step = (sum, at, isReading) => {
    if (isReading && Date.now() - shown < 200) return;
    shown = Date.now();
    const text = isReading ? `read ${bytes(at)} of ${bytes(file.size)}.` : `${many(sum.entries, "entry", "entries")} so far, ${grouped(sum.added)} of them new; ${bytes(at)} of ${bytes(file.size)}.`;
    fill(words, "Importing “", h("bdi", { dir: "auto" }, name), `”: ${text}`);
    bar.value = file.size > 0 ? at / file.size : 1;
    working("in", `Importing: ${bytes(at)} of ${bytes(file.size)}.`, bar.value);
  };
  step(new Sum(), 0, true);
  const mine = current;
  try {
    const sum = await bringIn(file, { onStep: step, isStopped: () => isStopped });
    fill(mine, importOutcome(name, sum, isStopped));
    worked("in", `Import finished: ${many(sum.added, "new entry", "new entries")}.`);
    isRunning = false;
    box.scrollIntoView({ block: "nearest" }); // on a phone it would stand below what is seen
    tell("import");
  } catch (error) {
    fill(mine, h("p", { class: "fault", role: "alert" }, `The import stopped: ${error.message} What was imported until then stays; choose the file again to go on.`));
    worked("in", "The import stopped.");
  } finally {
    isRunning = false;
  }
}

function bringer() {
  const box = h("div", { class: "outcome", role: "group", "aria-label": "Result" });
  const input = h("input", { type: "file", class: "unseen", accept: ".parley,application/octet-stream", id: "bundle", "aria-describedby": "bundle-words", disabled: isRunning });
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    input.disabled = true;
    await startImport(file, box);
    input.disabled = false;
    input.value = ""; // the same file again is a change, too
  });
  if (current) put(box, current);
  return [
    h("p", { class: "soft", id: "bundle-words" }, "A file of posts from a stick or a mail, made here or with parley export. Every entry is verified, and what fails is refused."),
    input, h("label", { for: "bundle", class: "button" }, "Choose a file"), box];
}

export async function files() {
  await Promise.all([learnSelf(), learnPeople()]);
  return {
    title: "Files",
    element: h("div", {}, h("h1", {}, "Posts as files"),
      h("section", { class: "card" }, h("h2", {}, "Save a copy"),
        state.me ? [h("p", {}, "Everything you posted, in one file: as a backup, or to carry it where there is no network. Anybody who gets the file can verify that it is yours."),
          saver(() => state.me, () => state.person?.name, "Save a copy of your posts", { class: "strong" })] : null,
        othersForm()),
      h("section", { class: "card" }, h("h2", {}, "Import"), bringer()),
      state.me ? h("p", { class: "soft" }, "The files never contain your keys or your twelve words. In a terminal: ", h("code", {}, "parley export"), ", ", h("code", {}, "parley import"), ".") : null),
  };
}

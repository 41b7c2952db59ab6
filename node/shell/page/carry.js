// Posts as files: out of the node, and into it.
import { get, getPage, part, sendBytes } from "./api.js";
import { Damaged, sections, Writer } from "./bundle.js";
import { act, button, bytes, fill, h, many, put } from "./dom.js";
import { tell } from "./post.js";
import { learnPeople, learnSelf, state } from "./state.js";
import { oneLine, plainName, shortKey } from "./text.js";
import { worked, working } from "./work.js";

const count = (number) => number.toLocaleString("en");

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
    working(row, `Writing the file of ${called}…`);
    for (let cursor = undefined; cursor !== null;) {
      const page = await getPage("export", { author, cursor });
      await writer.add(page.bytes);
      cursor = page.next;
      working(row, `Writing the file of ${called}: ${many(writer.entries, "entry", "entries")}, ${bytes(writer.size)}.`, total > 0 ? Math.min(1, writer.entries / total) : null);
    }
    const file = fileNameOf(author, name);
    handOver(writer.end(), file);
    return `${file}: ${many(writer.entries, "entry", "entries")}, ${bytes(writer.size)}. Your browser has it now.`;
  } finally {
    worked(row);
  }
}

function saver(author, name, words, attributes = {}) {
  const said = h("p", { class: "soft", role: "status" });
  return h("div", {}, button(words, act(async () => {
    said.textContent = "Writing it…";
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
  return h("details", { class: "extra" }, h("summary", {}, "The posts of somebody else"),
    h("p", { class: "soft" }, "As far as they are here, with all that proves whose they are."), choice,
    saver(() => choice.value, () => known.find((one) => one.author === choice.value)?.name, "Save theirs as a file"));
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
        sum.damage = new Damaged(section.start, "what stands at its end does not fit the rest: a part of it is missing or was changed");
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
  const where = one.log ? [one.low === one.high ? `Entry ${count(one.low)}` : `Entries ${count(one.low)} to ${count(one.high)}`, " of log ", h("span", { class: "key", title: one.log }, one.log.slice(0, 12) + "…")] : ["A record of somebody's keys"];
  return h("li", {}, where, `: ${one.detail}.`);
}

function outcome(name, sum, isStopped) {
  const isGood = !sum.damage && sum.passed.length === 0;
  const held = sum.entries - sum.added;
  return h("div", { "data-outcome": isGood && !isStopped ? "good" : "not" },
    h("h3", {}, isStopped ? "Stopped: " : isGood ? "Done: " : sum.entries > 0 ? "Done, but not all of it: " : "Nothing of it was taken in: ", h("bdi", {}, name)),
    h("dl", {},
      h("dt", {}, "New here"), h("dd", {}, many(sum.added, "entry", "entries")),
      h("dt", {}, "Held already"), h("dd", {}, many(held, "entry", "entries")),
      h("dt", {}, "Refused"), h("dd", {}, sum.passedOver > 0 || sum.passed.length === 0 ? many(sum.passedOver, "entry", "entries") : many(sum.passed.length, "record"))),
    sum.passed.length > 0 ? [h("p", {}, "What the node refused, and why:"), h("ul", {}, sum.passed.map(refusal))] : null,
    sum.damage ? h("p", { class: "warn" }, `The file is damaged at byte ${count(sum.damage.offset)}: ${sum.damage.message}. What is good before that was taken in.`) : null,
    isGood ? null : h("p", { class: "soft" }, "Entries are refused by the chunk: up to some hundred that stand together. In a terminal, ", h("code", {}, "parley import FILE"), " takes in what is good of a chunk, too, and names the first entry that does not hold."),
    h("p", { class: "soft" }, "Nobody is followed by it: posts of people whom you do not follow stand on their page and are found by searching."));
}

// Goes on while other views are looked at; the view shows what there is of it.
let current = null, isRunning = false;

async function start(file, box) {
  let isStopped = false;
  isRunning = true;
  const name = oneLine(file.name).slice(0, 200) || "a file";
  const words = h("p", {}), bar = h("progress", { max: 1, value: 0, "aria-label": "How far it is" });
  current = h("div", {}, words, bar, h("div", { class: "row" }, button("Stop", () => { isStopped = true; words.textContent = "Stopping…"; })));
  fill(box, current);
  let shown = 0;
  // It is read and sent in turns; of one long run all is read first. A few times a second.
  const step = (sum, at, isReading) => {
    if (isReading && Date.now() - shown < 200) return;
    shown = Date.now();
    const text = isReading ? `read ${bytes(at)} of ${bytes(file.size)}.` : `${many(sum.entries, "entry", "entries")} taken in, ${count(sum.added)} of them new; ${bytes(at)} of ${bytes(file.size)}.`;
    fill(words, "Bringing in ", h("bdi", {}, name), `: ${text}`);
    bar.value = file.size > 0 ? at / file.size : 1;
    working("in", `Bringing in a file: ${text}`, bar.value);
  };
  step(new Sum(), 0, true);
  const mine = current;
  try {
    const sum = await bringIn(file, { onStep: step, isStopped: () => isStopped });
    fill(mine, outcome(name, sum, isStopped));
    worked("in", `The file is in: ${many(sum.added, "new entry", "new entries")}.`);
    isRunning = false;
    tell("import");
  } catch (error) {
    fill(mine, h("p", { class: "fault", role: "alert" }, `Bringing in ended: ${error.message} What was taken in until then stays; choose the file again to go on.`));
    worked("in", "Bringing in ended.");
  } finally {
    isRunning = false;
  }
}

function bringer() {
  const box = h("div", { class: "outcome", role: "group", "aria-label": "What came of it" });
  const input = h("input", { type: "file", accept: ".parley,application/octet-stream", id: "bundle", "aria-describedby": "bundle-words", disabled: isRunning });
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    input.disabled = true;
    await start(file, box);
    input.disabled = false;
    input.value = "";
  });
  if (current) put(box, current);
  return [
    h("p", { class: "soft", id: "bundle-words" }, "A file that somebody saved here or with parley export, on a stick or out of a mail. What it holds is verified entry by entry; what does not hold is refused and named."),
    h("label", { for: "bundle" }, "Choose a file"), input, box];
}

export async function files() {
  await Promise.all([learnSelf(), learnPeople()]);
  return {
    title: "Files",
    element: h("div", {}, h("h1", {}, "Posts as files"),
      h("section", { class: "card" }, h("h2", {}, "Take out"),
        state.me ? [h("p", {}, "All that you said, in one file: a backup, and a way to carry it where no network goes. Whoever gets it can verify that it is yours, without asking anybody."),
          saver(() => state.me, () => state.person?.name, "Save your posts as a file", { class: "strong" })] : null,
        othersForm()),
      h("section", { class: "card" }, h("h2", {}, "Bring in"), bringer()),
      state.me ? h("p", { class: "soft" }, "Your keys and your twelve words are in no such file. In a terminal: ", h("code", {}, "parley export"), ", ", h("code", {}, "parley import"), ".") : null),
  };
}

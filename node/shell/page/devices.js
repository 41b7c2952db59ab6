// Your machines: which there are, one more, one less. What `parley device` does, where the root key is
// here. The recovery words have no place in a browser: where they are needed it says what to type.
import { get, part, Refused, remove, send } from "./api.js";
import { act, button, confirmWith, copyButton, dialog, fill, h, many, timeOf, toast, unread } from "./dom.js";
import { tell } from "./post.js";
import { kept, learnSelf, state } from "./state.js";
import { oneLine } from "./text.js";

const FRESH_MS = 600000; // as the node has it: so long after a link keys can be changed

const digits = (device) => device.slice(0, 8) + " " + device.slice(8, 16) + " …";
const nameKey = (device) => "device-" + device;
const deviceName = (one) => kept.get(nameKey(one.device)) || (one.this ? "This machine" : "Another machine");

const DEVICE_STATES = {
  open: (one) => (one.seq > 0 ? null : one.this ? "It has posted nothing yet." : "It has posted nothing yet, or nothing that has arrived here."),
  closed: (one) => `Revoked: what it posted up to entry ${one.seq} counts, and nothing after.`,
  void: () => "Revoked: nothing that it ever posted counts.",
  forked: () => "Somebody else signs with its key, too: its posts are shown up to where the two differ. Revoke it, unless you know why.",
  waiting: () => "Not yet counted as yours: add it on the machine that has your root key.",
};

function deviceNameForm(one, done) {
  const name = h("input", { type: "text", maxlength: 60, dir: "auto", value: kept.get(nameKey(one.device)) || "", "aria-label": "What you call it", placeholder: "The laptop, say" });
  return h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); kept.set(nameKey(one.device), oneLine(name.value).trim()); done(); } },
    name, h("button", { type: "submit" }, "Save"), h("p", { class: "soft" }, "Only this browser knows the name."));
}

// Said where it was asked for, and not gone after five seconds.
const refused = (box, error) => fill(box, h("p", { class: "warn", role: "alert" }, error.message));

function typeInstead(words, command) {
  return h("p", {}, words, " ", h("code", {}, command), ". It asks for your twelve words, there and never in a browser.");
}

/* ---- one less ------------------------------------------------------------------------------------ */

function askForEnd(one) {
  return new Promise((done) => {
    const hasPosted = one.seq > 0;
    const stays = h("input", { type: "radio", name: "end", value: "", checked: hasPosted, disabled: !hasPosted }), none = h("input", { type: "radio", name: "end", value: "none", onchange: () => (go.disabled = false) });
    const option = (input, words, about) => h("label", { class: "check option" }, input, h("span", {}, h("strong", {}, words), h("span", { class: "soft" }, about)));
    // What cannot be undone is chosen, not come upon.
    const go = button("Revoke", () => { isMeant = true; box.close(); }, { class: "strong bad", disabled: !hasPosted });
    let isMeant = false;
    const box = dialog(`Revoke “${oneLine(deviceName(one))}”?`, () => done(isMeant ? { last: none.checked ? "none" : undefined } : null),
      h("p", {}, h("span", { class: "key" }, digits(one.device)), " will no longer be able to post as you. This cannot be undone: to use that machine again, you have to add it as a new one."),
      h("p", {}, h("strong", {}, "What should happen to what it has posted?")),
      option(stays, "Keep what it has posted so far", hasPosted ? `Its ${many(one.seq, "entry stays", "entries stay")}; only what it posts from now on is rejected. Right for a machine that is lost, sold or retired.` : "Not available: nothing from this machine has arrived here. If it has posted, connect to it first."),
      option(none, "Reject everything it ever posted", "All of its posts disappear, for everybody. Right if somebody else has been posting with it."),
      h("p", { class: "soft" }, "To keep only what came before a certain post, type ", h("code", {}, `parley device revoke ${one.device.slice(0, 8)} --last POST`)),
      h("div", { class: "ends" }, button("Cancel", () => box.close()), go));
  });
}

async function revoke(one, said) {
  const asked = await askForEnd(one);
  if (!asked) return;
  try {
    await remove("devices/" + part(one.device), asked);
    if (added === one.device) added = null;
    toast("Revoked.");
    tell("devices");
  } catch (error) {
    refused(said, error);
  }
}

function row(one, hasRoot) {
  const said = h("div"), naming = h("div"), words = DEVICE_STATES[one.state]?.(one);
  const ended = one.state === "closed" || one.state === "void";
  const times = [one.since && h("span", {}, "since ", timeOf(one.since)), one.latest && h("span", {}, ended ? "last entry " : "newest entry ", timeOf(one.latest)), one.seq > 0 && !ended && many(one.seq, "entry", "entries")].filter(Boolean);
  return h("li", { class: "device" + (ended ? " ended" : ""), "data-device": one.device, "data-state": one.state },
    h("div", { class: "row" }, h("strong", {}, h("bdi", { dir: "auto" }, deviceName(one))), one.this && kept.get(nameKey(one.device)) ? h("span", { class: "tag" }, "this machine") : null, ended ? h("span", { class: "tag off" }, "revoked") : null,
      h("span", { class: "push" }, button(kept.get(nameKey(one.device)) ? "Rename" : "Name it", () => (naming.hasChildNodes() ? fill(naming) : fill(naming, deviceNameForm(one, () => tell("devices")))), { class: "plain" }),
        hasRoot && !one.this && !ended && one.state !== "waiting" ? button("Revoke…", () => revoke(one, said), { class: "plain bad" }) : null)),
    h("div", { class: "soft" }, times.flatMap((time, i) => (i > 0 ? ["; ", time] : [time]))),
    words ? h("div", { class: one.state === "forked" || one.state === "waiting" ? "warn" : "soft" }, words) : null,
    h("div", { class: "soft" }, "Key ", h("span", { class: "key", title: one.device }, digits(one.device))), naming, said);
}

/* ---- one more ------------------------------------------------------------------------------------ */

let added = null; // what is to be done next stays in the page

const next = () => added && h("div", { class: "good", role: "status" }, h("p", {}, h("strong", {}, "The new machine is yours now. "), "Next, on that machine: start ", h("code", {}, "parleyd"), " and connect it to this machine, a friend's node or a relay."),
  h("p", { class: "soft" }, "Key ", h("span", { class: "key" }, digits(added))));

async function addDevice(line, said) {
  const request = /pdevice-[0-9a-f]+/i.exec(line)?.[0].toLowerCase() || line.trim();
  try {
    const { device } = await send("devices", { request, check: true });
    const isMeant = await confirmWith("Does the new machine show the same?",
      h("span", {}, "Device ", h("strong", { class: "key" }, device), ". Whoever has that machine can post as you until you revoke it. Go on only if it is in front of you and shows the same."), "It is the same: add it");
    if (!isMeant) return;
    await send("devices", { request });
    added = device;
    tell("devices");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refused(said, error);
  }
}

function adder(told) {
  const join = `parley init --join ${told.author}${told.generation > 0 ? ` --generation ${told.generation}` : ""}`;
  const line = h("textarea", { rows: 3, "aria-label": "The line that the new machine prints", placeholder: "pdevice-…", spellcheck: "false", autocomplete: "off", required: true });
  const said = h("div");
  const isStale = Date.now() - Number(kept.get("entered") || 0) > FRESH_MS;
  return [
    next(),
    h("ol", { class: "numbered" },
      h("li", {}, h("p", {}, "Install parley on the new machine and type there:"), h("p", {}, h("code", {}, join)), h("p", {}, copyButton("Copy", join))),
      h("li", {}, told.root
        ? h("form", { onsubmit: act(() => addDevice(line.value, said)) }, h("p", {}, "It prints a line. Paste it here:"), line, said, h("button", { type: "submit", class: "strong" }, "Compare, then add"))
        : typeInstead("It prints a line. Your root key is not on this machine: where it is, or here in a terminal, type", "parley device add LINE")),
      h("li", {}, "On the new machine, start parleyd and connect it. Your posts and public follows arrive by themselves; or carry them over as ", h("a", { href: "#/files" }, "a file"), ".")),
    h("p", { class: "soft" }, "No key leaves a machine: the new one has its own. Never add a line that somebody else sends you."),
    told.root && isStale ? h("p", { class: "soft" }, "For your safety, keys can be changed only within ten minutes of opening this page with a link: type ", h("code", {}, "parley open"), " in a terminal first.") : null];
}

export async function devices() {
  await learnSelf();
  if (!state.me) return { title: "Devices", element: h("div", {}, h("h1", {}, "Devices"), h("p", { class: "soft" }, "This node is a relay: it has no author and so no devices.")) };
  const told = await get("devices");
  const order = { open: 0, waiting: 0, forked: 0, closed: 1, void: 1 };
  const list = [...told.devices].sort((a, b) => order[a.state] - order[b.state] || b.this - a.this || (b.latest || 0) - (a.latest || 0));
  return {
    title: "Devices",
    element: h("div", {}, h("h1", {}, "Your devices"), unread(told),
      h("section", { class: "card" }, h("p", { class: "soft" }, "Each machine posts with a key of its own; together they are you."),
        h("ul", { class: "plain" }, list.map((one) => row(one, told.root))),
        told.root ? null : typeInstead("Revoking needs your root key, which is not on this machine. On the machine that has it, or here in a terminal, type", "parley device revoke KEY")),
      h("section", { class: "card" }, h("h2", {}, "Add a machine"), adder(told)),
      h("section", { class: "card" }, h("h2", {}, "If a machine is lost or was copied"),
        h("p", {}, "If your root key was not on it, revoke it above. If it was, whoever has the machine could add others: change the root key with ", h("code", {}, "parley rotate"), ". If all your machines are lost, type ", h("code", {}, "parley recover"), " on an empty one. Both ask for your twelve words, in the terminal. This page never shows them or asks for them."))),
  };
}

// The frame: where one is, what comes by itself, keys.
import { enter, get, Refused, Stream } from "./api.js";
import { files } from "./carry.js";
import { compose } from "./compose.js";
import { devices } from "./devices.js";
import { $, button, dialog, endToast, fill, h, nextFrame, pause, refreshTimes, say, toast } from "./dom.js";
import { face, icon } from "./icons.js";
import { lists, me, node, STATES } from "./node.js";
import { person } from "./person.js";
import { changed, refreshCard } from "./post.js";
import { kept, learnPeople, learnSelf, state } from "./state.js";
import { isVisible, nameOf } from "./text.js";
import { home, notices, people, search, tag, thread } from "./views.js";
import { openWhy } from "./why.js";
import { watchWork } from "./work.js";

/* ---- where one is --------------------------------------------------------------------------- */

let view = null, showing = 0;

function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  let about = rest.join("/");
  try {
    about = decodeURIComponent(about);
  } catch {
    // shown as it stands
  }
  const routes = {
    "": ["home", home], notices: ["notices", notices], people: ["people", people],
    me: ["me", me], node: ["node", node], post: ["", () => thread(about)],
    who: ["", () => person(about)], tag: ["", () => tag(about)],
    devices: ["me", devices], files: ["me", files],
    lists: ["me", lists],
    search: ["", () => search(new URLSearchParams(query).get("q") || "")],
  };
  return routes[name] || routes[""];
}

function signedOut() {
  document.body.classList.add("out");
  stream.stop();
  fill($("main"), h("section", { class: "card" }, h("h1", {}, "This page opens with a link"),
    h("p", {}, "Only the owner of this node can make the link:"),
    h("ol", { class: "numbered" },
      h("li", {}, "On the computer where the node runs, open a terminal."),
      h("li", {}, "Type ", h("code", {}, "parley open"), " and press Enter."),
      h("li", {}, "Open the link that it prints in this browser.")),
    h("p", { class: "soft" }, "A link works once. After that this browser stays signed in for thirty days.")));
}

function failed(error) {
  if (error instanceof Refused && error.status === 401) return signedOut();
  fill($("main"), h("section", { class: "card" }, h("h1", {}, "That did not work"), h("p", {}, error.message), button("Try again", () => (state.status ? show() : location.reload()))));
  return undefined;
}

// What was looked for stands where it was typed, so that it can be changed; what is being typed stays.
function showWords() {
  const said = /^#\/search\?(.*)/.exec(location.hash);
  if (said) $("words").value = new URLSearchParams(said[1]).get("q") || "";
  else if (document.activeElement !== $("words")) $("words").value = "";
}

// Whose page it is, beside the place that is theirs.
function showSelf() {
  if (!state.me) return;
  const name = state.person?.name;
  document.querySelector("#nav [data-view=me]").querySelector(".icon, .face")?.replaceWith(face(state.me, name));
  fill($("self"), isVisible(name) ? nameOf(state.me, name) : null);
}

async function show({ keep = false } = {}) {
  const mine = ++showing, [name, make] = route();
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const reading = h("p", { class: "soft" }, "Reading…");
  if (!keep) fill($("main"), reading);
  showWords();
  const slow = setTimeout(() => { reading.textContent = "Reading… your node is busy and will answer as soon as it can."; say(reading.textContent); }, 1000);
  try {
    const made = await make().finally(() => clearTimeout(slow));
    if (mine !== showing || !made) return;
    const at = window.scrollY;
    view = { name, ...made };
    document.title = made.title + " · parley";
    fill($("main"), made.element);
    showSelf();
    if (keep) {
      window.scrollTo(0, at);
      // What had the focus may be gone with what stood there.
      if (document.activeElement === document.body && !document.querySelector("dialog[open]")) $("main").focus({ preventScroll: true });
    }
    else if (made.focus?.()) made.focus().scrollIntoView({ block: "center" });
    else window.scrollTo(0, 0);
    if (name === "notices") readNotices();
  } catch (error) {
    if (mine === showing) failed(error);
  }
}

/* ---- what comes by itself ---------------------------------------------------------------------- */

const soon = new Map();

// Once for many that come together.
function later(name, ms, work) {
  if (soon.has(name)) return;
  soon.set(name, setTimeout(() => { soon.delete(name); Promise.resolve(work()).catch(() => {}); }, ms));
}

function cardsOf(address) {
  return [...document.querySelectorAll("article")].filter((card) => card.post?.post === address || card.target?.post === address);
}

function onEvent(kind, data) {
  if (kind === "gap") return later("show", 200, () => show({ keep: true }));
  if (data.concerns) later("notices", 400, countNotices);
  if (kind === "post") return later("newer", 250, () => (view?.list || view)?.refresh?.());
  if (kind === "vote") return later("vote " + data.vote_for, 500, () => cardsOf(data.vote_for).forEach(refreshCard));
  if (kind === "erase") return data.posts.forEach((address) => later("erase " + address, 300, () => cardsOf(address).forEach(refreshCard)));
  return undefined;
}

let isThere = true;
function onState(there) {
  if (isThere === there) return;
  isThere = there;
  toast(there ? "Your node is back." : "Your node does not answer. This page goes on when it is back.", !there);
}

const stream = new Stream(onEvent, onState);

// Browsers have six connections to a node for all pages together: one that nobody sees gives its
// stream back, and goes on where it was.
let hiding;
function onVisible() {
  clearTimeout(hiding);
  if (document.visibilityState === "visible") stream.start();
  else hiding = setTimeout(() => stream.stop(), 60000);
}

async function countNotices() {
  if (!state.me) return;
  if (view?.name === "notices") { await view.list.refresh(); readNotices(); return; }
  const { posts } = await get("notifications", { limit: 30 });
  const seen = Number(kept.get("seen-" + state.me) || 0);
  const count = posts.filter((post) => post.received > seen).length;
  $("unread").textContent = count >= 30 ? "30+" : String(count);
  $("unread").hidden = count === 0;
}

function readNotices() {
  kept.set("seen-" + state.me, Date.now());
  $("unread").hidden = true;
}

async function lookAtNode() {
  const status = await get("status");
  const trouble = STATES[status.state];
  $("trouble").hidden = !(trouble && trouble[1]);
  if (view?.name === "node" && !document.querySelector("dialog[open]") && !document.activeElement?.closest("#main form")) await show({ keep: true });
}

/* ---- keys -------------------------------------------------------------------------------------- */

const KEYS = [
  ["j", "Next post"], ["k", "Previous post"], ["Enter", "Open its thread"], ["n", "Write"], ["r", "Reply"], ["q", "Quote"], ["e", "Repost"],
  ["u", "Vote up"], ["d", "Vote down"], ["w", "Why is it here?"], ["/", "Search"],
  ["g h", "Home"], ["g a", "Activity"], ["g p", "People"], ["g y", "You"], ["g s", "Node"], ["?", "Keyboard shortcuts"],
];

function help() {
  if (document.querySelector("dialog[open]")) return;
  const box = dialog("Keyboard shortcuts", null,
    h("dl", { class: "shortcuts" }, KEYS.map(([keys, words]) => [h("dt", {}, keys.split(" ").flatMap((key, i) => [i > 0 ? " " : "", h("kbd", {}, key)])), h("dd", {}, words)])),
    h("p", { class: "soft" }, "Two keys: one after the other."),
    h("div", { class: "ends" }, button("Close", () => box.close())));
}

function step(by) {
  const posts = [...document.querySelectorAll("#main article")];
  const at = posts.indexOf(document.activeElement?.closest("article"));
  const next = posts[at < 0 ? (by > 0 ? posts.findIndex((one) => one.getBoundingClientRect().bottom > 80) : 0) : at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const press = (name) => document.activeElement?.closest("article")?.querySelector(`[data-act="${name}"]`)?.click();

function why() {
  const card = document.activeElement?.closest("article");
  if (card?.post) openWhy((card.target || card.post).post);
}

const GO = { h: "#/", a: "#/notices", p: "#/people", y: "#/me", s: "#/node" };
let isGoing = false;

const ON_KEY = {
  j: () => step(1), k: () => step(-1), n: () => compose(), "/": () => $("words").focus(), "?": help,
  r: () => press("reply"), q: () => press("quote"), e: () => press("echo"), u: () => press("up"), d: () => press("down"), w: why,
  g: () => { isGoing = true; setTimeout(() => (isGoing = false), 1500); },
};

function onKey(event) {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || document.body.classList.contains("out")) return;
  if (at.closest("input, textarea, select, dialog")) {
    if (event.key === "Escape" && !at.closest("dialog")) at.blur();
    return;
  }
  if (event.key === "Enter" && at.matches("article[data-post]")) { location.hash = "#/post/" + (at.target || at.post || { post: at.dataset.post }).post; return; }
  const isGo = isGoing && GO[event.key];
  isGoing = false;
  if (isGo) { location.hash = isGo; event.preventDefault(); return; }
  if (!Object.hasOwn(ON_KEY, event.key)) return;
  event.preventDefault();
  ON_KEY[event.key]();
}

/* ---- start -------------------------------------------------------------------------------------- */

async function start() {
  for (const place of document.querySelectorAll("#nav [data-view]")) place.prepend(icon(place.dataset.view));
  window.addEventListener("hashchange", async () => {
    endToast();
    if (location.hash.startsWith("#open=")) await enter().then(() => location.reload()).catch((error) => toast(error.message, true));
    else show();
  });
  changed.addEventListener("change", async ({ detail }) => {
    if (detail === "post" || detail === "echo") return later("own", 250, () => (view?.list || view)?.refresh?.({ atOnce: true }));
    await learnPeople().catch(() => {});
    return show({ keep: true });
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", onVisible);
  window.addEventListener("pagehide", () => stream.stop()); // that it ends is no news to who goes
  window.addEventListener("pageshow", (event) => event.persisted && onVisible());
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  $("search").addEventListener("submit", (event) => { event.preventDefault(); const words = $("words").value.trim(); if (words) location.hash = "#/search?q=" + encodeURIComponent(words); });
  $("write").addEventListener("click", () => compose());
  $("write").hidden = true;
  await enter().catch((error) => toast(error.message, true));
  watchWork();
  try {
    if (route()[0] !== "home") await learnSelf(); // home asks with everything else
  } catch (error) {
    failed(error);
    return;
  }
  await show();
  if (document.body.classList.contains("out")) return;
  $("write").hidden = !state.me;
  await nextFrame(); // what stands there is to be seen first
  await pause();
  onVisible();
  later("notices", 1000, countNotices); // many posts are looked through for them when a node has just begun
  setInterval(() => refreshTimes(document), 30000);
  setInterval(() => document.visibilityState === "visible" && lookAtNode().catch(() => {}), 15000);
}

start();

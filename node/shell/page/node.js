// How the node is, in plain words; and the owner's own: profile, lists, sessions.
import { get, leave, part, post as send, remove } from "./api.js";
import { act, button, bytes, confirmWith, duration, h, many, toast } from "./dom.js";
import { tell } from "./post.js";
import { learnPeople, learnSelf, state } from "./state.js";
import { nameOf, shortKey, who } from "./text.js";
import { upkeep } from "./upkeep.js";
import { invitation, nameForm, reachForm } from "./welcome.js";
import { unlist } from "./why.js";

export const STATES = {
  ok: ["All is well.", false],
  catching_up: ["Catching up: posts are being fetched right now.", false],
  at_quota: ["The space you gave it is used up: what comes pushes the oldest of strangers out.", false],
  over_quota: ["More is held than the space you gave it, and none of it may go. Give it more, or drop something.", true],
  disk_full: ["The disk is full: nothing can be posted or taken in until there is space.", true],
  disk_failed: ["The disk fails: nothing is taken in. Look at the node's log, and at the disk.", true],
  read_only: ["Nothing can be posted from here.", true],
};

const DEVICE = {
  open: null,
  copy: "This is a copy of a home that runs elsewhere: it reads, and cannot post until parley device add counts it as yours.",
  none: "This node is nobody's: it carries posts and writes none.",
  waiting: "This machine waits to be counted as yours: `parley device add` on the machine that holds your root key.",
  closed: "This machine's log was ended by your keys: it reads, and cannot post.",
  forked: "This machine's log has two branches; it is hidden until your root key settles it.",
  elsewhere: "This is a copy of a home that posts elsewhere: it reads, and cannot post.",
};

function headline(status) {
  const [words, isBad] = STATES[status.state] || [status.state, true];
  const device = DEVICE[status.device_state];
  return h("section", { class: "card" }, h("p", { class: isBad ? "fault" : "" }, h("strong", {}, words)),
    device ? h("p", { class: "warn" }, device) : null,
    h("p", { class: "soft" }, `It has run for ${duration(status.uptime_ms)} and holds ${many(status.entries, "entry", "entries")} of ${many(status.authors, "person", "people")}.`));
}

const NETWORKS = { machine: "on this machine", clear: "over the Internet", lan: "in the local network" };

function peer(one) {
  return h("li", { class: "row peer" },
    h("span", { class: "grow" }, h("strong", {}, one.relay ? "A relay " : "A node ", NETWORKS[one.network] || "over " + one.network), h("br"),
      h("span", { class: "soft" }, `${one.direction === "out" ? "Your node connected to it" : "It connected to your node"}; ${bytes(one.received_bytes)} came, ${bytes(one.sent_bytes)} went. `, h("span", { class: "key", title: one.node_key }, shortKey(one.node_key)))),
    h("span", { class: "push" }, button("Disconnect", act(async () => { await remove("peers/" + part(one.node_key)); toast("Disconnected."); tell("node"); }), { class: "plain" })));
}

function connectForm() {
  const address = h("input", { type: "text", placeholder: "pnode1…@host:7373", "aria-label": "Address of a node", spellcheck: "false" });
  return h("form", { class: "row", onsubmit: act(async () => { await send("peers", { address: address.value.trim() }); toast("Connecting."); setTimeout(() => tell("node"), 1500); }) },
    address, h("button", { type: "submit" }, "Connect"));
}

const REACH = { yes: "Others can connect to it", lan: "Others in the local network can connect to it", unknown: "Whether others can connect to it is not known" };

function reach(status) {
  const nat = status.nat?.state === "mapped" ? ` The router listens for it at ${status.nat.place}.` : "";
  const words = status.reachable_words;
  return `${status.reachable === "no" ? words[0].toUpperCase() + words.slice(1) : `${REACH[status.reachable]}: ${words}`}.${nat}`;
}

function connections(status, peers) {
  const words = peers.length === 0
    ? status.dials ? "No other node is connected. Yours keeps trying the ones it knows." : "No other node is connected, and yours knows none to try. Connect it to a friend's node or to a relay: nothing comes and goes before."
    : `Connected to ${many(peers.length, "node")}.` + (status.addresses > 0 ? ` It knows ${many(status.addresses, "other address", "other addresses")}.` : "");
  return h("section", { class: "card" }, h("h2", {}, "Who is connected"), h("p", {}, words), h("ul", { class: "plain" }, peers.map(peer)), connectForm(), h("p", { class: "soft" }, reach(status)),
    h("details", { class: "extra" }, h("summary", {}, "How others find it"), reachForm()));
}

function asked(one) {
  const person = state.people.find((known) => known.author === one.author);
  const missing = one.missing > 0 ? many(one.missing, "entry is", "entries are") + " missing between others" : "newer ones are to come";
  const now = one.asked ? "being asked for now" : one.peer ? `asked for again in ${Math.ceil(one.again_in_ms / 1000)} s` : "no node that is connected has them";
  return h("li", {}, who(one.author, person?.name), h("div", { class: "soft" }, `${missing}: ${now}.`));
}

function fetching(told, status) {
  return h("section", { class: "card" }, h("h2", {}, "What is being fetched"),
    told.count === 0 ? h("p", { class: "soft" }, "Nothing: what is known to exist of whom you follow is here.")
      : [h("p", {}, `Of ${many(told.count, "log")} something is still to come.`), h("ul", { class: "plain" }, told.logs.slice(0, 20).map(asked))],
    status.state === "catching_up" ? h("p", { class: "soft" }, "Newest posts come first, history behind them.") : null);
}

function disk(status) {
  return h("section", { class: "card" }, h("h2", {}, "Disk"),
    h("dl", {},
      h("dt", {}, "Posts take"), h("dd", {}, bytes(status.store_bytes)),
      h("dt", {}, "Limit"), h("dd", {}, status.quota_bytes > 0 ? `${bytes(status.quota_bytes)}; ${bytes(status.held_bytes)} of it used` : "none: all that you follow is kept. Set one with quota = 20G in parleyd.conf."),
      h("dt", {}, "Of strangers"), h("dd", {}, bytes(status.strangers_bytes)),
      h("dt", {}, "Memory"), h("dd", {}, bytes(status.rss_bytes)),
      h("dt", {}, "Version"), h("dd", {}, status.version)));
}

export async function node() {
  await learnSelf();
  const [peers, told] = await Promise.all([get("peers"), get("fetching"), state.people.length === 0 ? learnPeople() : null]);
  return { title: "Node", element: h("div", {}, h("h1", {}, "Your node"), headline(state.status), connections(state.status, peers.peers), fetching(told, state.status), disk(state.status), upkeep(state.status)) };
}

/* ---- you ------------------------------------------------------------------------------------- */

// Whose it is, and how it begins, where that is here.
function ofPost(address, said) {
  const post = said.get(address);
  return post ? [nameOf(post.author, post.author_name), post.text ? [": ", h("bdi", {}, post.text.slice(0, 60).toWellFormed())] : ""] : `A post (${address.slice(0, 14)}…)`;
}

function listed(one, said) {
  const what = one.word !== undefined ? h("bdi", {}, "“" + one.word + "”") : one.post ? h("a", { href: "#/post/" + one.post }, ofPost(one.post, said)) : who(one.author, state.people.find((known) => known.author === one.author)?.name);
  const { list, ...named } = one;
  return h("li", { class: "row" }, what, h("span", { class: "push" }), button("Take off", act(async () => { await unlist(list, named); tell("lists"); }), { class: "plain" }));
}

function listCard(words, items, none, more, said) {
  return h("section", { class: "card" }, h("h2", {}, words), items.length > 0 ? h("ul", { class: "plain" }, items.map((one) => listed(one, said))) : h("p", { class: "soft" }, none), more);
}

function wordForm() {
  const word = h("input", { type: "text", maxlength: 100, dir: "auto", "aria-label": "A word to mute", placeholder: "A word, or several in a row" });
  return h("form", { class: "row", onsubmit: act(async () => { await send("lists", { list: "mute", word: word.value, on: true }); tell("lists"); }) }, word, h("button", { type: "submit" }, "Mute"));
}

async function ownCards() {
  const { lists } = await get("lists");
  const posts = lists.filter((one) => one.post).slice(0, 50).map((one) => get("posts/" + part(one.post)).then((post) => [one.post, post]).catch(() => null));
  const said = new Map((await Promise.all(posts)).filter(Boolean));
  const of = (name, isWord) => lists.filter((one) => one.list === name && (one.word !== undefined) === isWord);
  return [
    listCard("Muted words", of("mute", true), "None. Posts with a muted word stay out of your timeline.", wordForm()),
    listCard("Muted people", of("mute", false), "Nobody."),
    listCard("Blocked people", of("block", false), "Nobody."),
    listCard("Always shown", of("allow", false), "Nothing. “Show this post” under “Why?”, and “Always show” on a person's page, stand here.", null, said),
  ];
}

export async function lists() {
  await Promise.all([learnSelf(), learnPeople()]);
  return { title: "Muted and blocked", element: h("div", {}, h("h1", {}, "Muted, blocked, always shown"),
    h("p", { class: "soft" }, "These lists are yours alone: nobody is told, and nothing changes anywhere else."), await ownCards()) };
}

// Where the rest of what is one's own stands.
function places() {
  const place = (to, words, about) => h("li", {}, h("a", { href: to }, h("strong", {}, words), h("span", { class: "soft" }, about)));
  return h("section", { class: "card" }, h("ul", { class: "plain places" },
    state.me ? place("#/devices", "Your devices", "Which machines post as you; add one, revoke one") : null,
    place("#/files", "Posts as files", "Save what you said, bring in what came on a stick"),
    place("#/lists", "Muted, blocked, always shown", "Words and people that you leave out, and what you make exceptions for")));
}

export async function me() {
  await learnSelf();
  const own = state.me
    ? [h("section", { class: "card" }, h("h2", {}, "Your profile"), nameForm(), h("p", { class: "apart" }, h("a", { href: "#/who/" + state.me }, "See your posts as others do"))),
      places(),
      h("section", { class: "card" }, h("h2", {}, "Invite somebody"), invitation()),
      h("section", { class: "card" }, h("h2", {}, "Your twelve words"),
        h("p", {}, "They are you. They were shown in the terminal once and are kept nowhere, so this page cannot show them. ", h("code", {}, "parley rotate"), " and ", h("code", {}, "parley recover"), " ask for them, there and never in a browser."))]
    : [h("section", { class: "card" }, h("p", {}, "This node is nobody's: it carries for everybody.")), places()];
  return {
    title: "You",
    element: h("div", {}, h("h1", {}, "You"), own,
      h("section", { class: "card" }, h("h2", {}, "This browser"), h("p", { class: "soft" }, "Whoever has this browser can read and post here as you, for thirty days. It ends everywhere at once:"),
        button("End every session", act(async () => {
          if (!(await confirmWith("End every session?", "The page closes in every browser. parley open in a terminal opens it again.", "End"))) return;
          await leave();
          location.reload();
        })))),
  };
}

// How the node is, in plain words; and the owner's own: profile, lists, sessions.
import { get, leave, part, remove, send } from "./api.js";
import { act, button, bytes, confirmWith, duration, h, many, toast } from "./dom.js";
import { tell } from "./post.js";
import { learnPeople, learnSelf, state } from "./state.js";
import { nameOf, shortKey, who } from "./text.js";
import { upkeep } from "./upkeep.js";
import { invitation, nameForm, REACH_TITLE, reachForm, reachWords } from "./welcome.js";
import { unlist } from "./why.js";

export const STATES = {
  ok: ["All is well.", false],
  catching_up: ["Catching up: posts are being fetched right now.", false],
  at_quota: ["The space you gave it is full: new posts replace the oldest posts of people you do not follow.", false],
  over_quota: ["It holds more than the space you gave it, and nothing may be removed. Give it more space, or drop something.", true],
  disk_full: ["The disk is full: nothing can be posted or received until there is space.", true],
  disk_failed: ["The disk is failing: nothing is received. Check the node's log and the disk.", true],
  read_only: ["Nothing can be posted from here.", true],
};

const DEVICE = {
  open: null,
  copy: "This is a copy of a home that runs elsewhere: it can read, and cannot post until you add it with parley device add.",
  none: "This node is a relay: it carries posts and writes none.",
  waiting: "This machine is not yet counted as yours: type parley device add on the machine that has your root key.",
  closed: "This machine was revoked: it can read, and cannot post.",
  forked: "Somebody else signs with this machine's key, too: its posts are hidden until you revoke it with your root key.",
  elsewhere: "This is a copy of a home that posts elsewhere: it can read, and cannot post.",
};

function headline(status) {
  const [words, isBad] = STATES[status.state] || [status.state, true];
  const device = DEVICE[status.device_state];
  return h("section", { class: "card" }, h("p", { class: isBad ? "fault" : "" }, h("strong", {}, words)),
    device ? h("p", { class: "warn" }, device) : null,
    h("p", { class: "soft" }, `Running for ${duration(status.uptime_ms)}. It holds ${many(status.entries, "entry", "entries")} by ${many(status.authors, "person", "people")}.`));
}

const NETWORKS = { machine: "on this machine", clear: "over the Internet", lan: "in the local network" };

function peer(one) {
  return h("li", { class: "row peer" },
    h("span", { class: "grow" }, h("strong", {}, one.relay ? "A relay " : "A node ", NETWORKS[one.network] || "over " + one.network), h("br"),
      h("span", { class: "soft" }, `${one.direction === "out" ? "Your node connected to it" : "It connected to your node"}; ${bytes(one.received_bytes)} received, ${bytes(one.sent_bytes)} sent. `, h("span", { class: "key", title: one.node_key }, shortKey(one.node_key)))),
    h("span", { class: "push" }, button("Disconnect", act(async () => { await remove("peers/" + part(one.node_key)); toast("Disconnected."); tell("node"); }), { class: "plain" })));
}

function connectForm() {
  const address = h("input", { type: "text", placeholder: "pnode1…@host:7373", "aria-label": "Address of a node", spellcheck: "false" });
  return h("form", { class: "row", onsubmit: act(async () => { await send("peers", { address: address.value.trim() }); toast("Connecting."); setTimeout(() => tell("node"), 1500); }) },
    address, h("button", { type: "submit" }, "Connect"));
}

function connections(status, peers) {
  const words = peers.length === 0
    ? status.dials ? "No other node is connected. Yours keeps trying the ones it knows." : "No other node is connected, and yours knows none to try. Connect it to a friend's node or to a relay; until then nothing is sent or received."
    : `Connected to ${many(peers.length, "node")}.` + (status.addresses > 0 ? ` It knows ${many(status.addresses, "other address", "other addresses")}.` : "");
  return h("section", { class: "card" }, h("h2", {}, "Who is connected"), h("p", {}, words), h("ul", { class: "plain" }, peers.map(peer)), connectForm(), h("h3", {}, REACH_TITLE), h("p", { class: "soft" }, reachWords(status)),
    h("details", { class: "extra" }, h("summary", {}, "Change this"), reachForm()));
}

function asked(one) {
  const person = state.people.find((known) => known.author === one.author);
  const missing = one.missing > 0 ? many(one.missing, "entry is", "entries are") + " missing" : "newer entries are to come";
  const now = one.asked ? "asking for them now" : one.peer ? `asking again in ${Math.ceil(one.again_in_ms / 1000)} s` : "no connected node has them";
  return h("li", {}, who(one.author, person?.name), h("div", { class: "soft" }, `${missing}: ${now}.`));
}

function fetching(told, status) {
  return h("section", { class: "card" }, h("h2", {}, "What is being fetched"),
    told.count === 0 ? h("p", { class: "soft" }, "Nothing: you have everything that is known of the people you follow.")
      : [h("p", {}, `Still to come, from ${many(told.count, "device")}:`), h("ul", { class: "plain" }, told.logs.slice(0, 20).map(asked))],
    status.state === "catching_up" ? h("p", { class: "soft" }, "Newest posts come first, history behind them.") : null);
}

function disk(status) {
  return h("section", { class: "card" }, h("h2", {}, "Disk"),
    h("dl", {},
      h("dt", {}, "Used by posts"), h("dd", {}, bytes(status.store_bytes)),
      h("dt", {}, "Limit"), h("dd", {}, status.quota_bytes > 0 ? `${bytes(status.quota_bytes)}, of which ${bytes(status.held_bytes)} used` : "none: everything you follow is kept. Set one with quota = 20G in parleyd.conf."),
      h("dt", {}, "Not followed by you"), h("dd", {}, bytes(status.strangers_bytes)),
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
  return h("li", { class: "row" }, what, h("span", { class: "push" }), button(one.list === "mute" ? "Unmute" : one.list === "block" ? "Unblock" : "Remove", act(async () => { await unlist(list, named); tell("lists"); }), { class: "plain" }));
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
    listCard("Always shown", of("allow", false), "Nothing. What you choose with “Show this post” under “Why?”, or “Always show” on a person's page, is listed here.", null, said),
  ];
}

export async function lists() {
  await Promise.all([learnSelf(), learnPeople()]);
  return { title: "Muted and blocked", element: h("div", {}, h("h1", {}, "Muted, blocked, always shown"),
    h("p", { class: "soft" }, "Only you see these lists. Nobody is told, and nothing changes on other nodes."), await ownCards()) };
}

// Where the rest of what is one's own stands.
function places() {
  const place = (to, words, about) => h("li", {}, h("a", { href: to }, h("strong", {}, words), h("span", { class: "soft" }, about)));
  return h("section", { class: "card" }, h("ul", { class: "plain places" },
    state.me ? place("#/devices", "Your devices", "The machines that post as you: add or revoke one") : null,
    place("#/files", "Posts as files", "Save a copy of your posts, or import a file"),
    place("#/lists", "Muted, blocked, always shown", "Words and people you leave out, and your exceptions")));
}

export async function me() {
  await learnSelf();
  const own = state.me
    ? [h("section", { class: "card" }, h("h2", {}, "Your profile"), nameForm(), h("p", { class: "apart" }, h("a", { href: "#/who/" + state.me }, "See your profile as others do"))),
      places(),
      h("section", { class: "card" }, h("h2", {}, "Invite somebody"), invitation()),
      h("section", { class: "card" }, h("h2", {}, "Your twelve words"),
        h("p", {}, "Anybody who has them can act as you. They were shown once, in the terminal, and are stored nowhere, so this page cannot show them. ", h("code", {}, "parley rotate"), " and ", h("code", {}, "parley recover"), " ask for them, in the terminal and never in a browser."))]
    : [h("section", { class: "card" }, h("p", {}, "This node is a relay: it carries posts and has no author of its own.")), places()];
  return {
    title: "You",
    element: h("div", {}, h("h1", {}, "You"), own,
      h("section", { class: "card" }, h("h2", {}, "This browser"), h("p", { class: "soft" }, "Anybody who uses this browser can read and post as you, for thirty days. You can end that, in every browser at once:"),
        button("End every session", act(async () => {
          if (!(await confirmWith("End every session?", "The page closes in every browser. To open it again, type parley open in a terminal.", "End"))) return;
          await leave();
          location.reload();
        })))),
  };
}

// Why a post is here, hidden or missing, and a click to have it otherwise.
import { get, part, remove, send } from "./api.js";
import { act, button, dialog, fill, h, time, toast, unread } from "./dom.js";
import { tell } from "./post.js";
import { nameOf } from "./text.js";

const VERDICTS = {
  visible: "This post is shown.",
  muted: "Your timeline and threads leave this post out.",
  blocked: "It is by somebody you block.",
  erased: "Its author took it back.",
  purged: "You dropped its words on this node.",
  pruned: "It was removed because the space limit was reached.",
  no_body: "Its words have not arrived yet.",
  missing: "This post is not on your node.",
  hidden: "Its author's keys do not vouch for it.",
  frozen: "Its author's device signed two different posts as one.",
  unknown: "Your node knows nothing that has this address.",
};

// What hides it, and which exceptions can be made: of the person, of this post alone.
const OF_PERSON = new Set(["word", "closed", "void", "fork", "unlinked", "quota"]);

const VERBS = {
  allow: (about) => about.startsWith("post1")
    ? ["Show this post", "lists", { list: "allow", post: about, on: true }, "Always shows this one post on this node, whatever else you hide."]
    : ["Show everything by this person", "lists", { list: "allow", author: about, on: true }, "Always shows all of their posts on this node, also new ones."],
  unallow: (about) => ["Stop always showing", "lists", { list: "allow", ...named(about), on: false }, "What you mute or block counts again."],
  unmute: (about) => ["Unmute the person", "lists", { list: "mute", author: about, on: false }, "Their posts appear in your timeline again."],
  unblock: (about) => ["Unblock the person", "lists", { list: "block", author: about, on: false }, "Your node receives and shows their posts again."],
  follow: (about) => ["Follow the person", "follows", { author: about }, "Your node fetches their posts. Your follow is public."],
};

const named = (about) => (about.startsWith("post1") ? { post: about } : { author: about });

function exception(box, address, verb, about) {
  const [words, path, body, scope] = VERBS[verb](about);
  return [scope, button(words, act(async () => {
    await send(path, body);
    toast("Done.");
    tell("lists");
    await showWhy(box, address);
  }), { "data-verb": verb })];
}

// A rule in a sentence for everybody; what has none is said as the node says it.
const PLAIN = {
  block: "You block its author: your node receives, passes on and shows nothing by them.",
  own: "You wrote it.",
  relay: "This node is a relay and carries everybody's posts.",
  hop: "Somebody you follow follows its author.",
  stranger: "Nobody on this node follows its author. It is here because it came earlier, or because somebody you follow replied to it.",
  void: "Its author's keys do not count the device that posted it as theirs.",
  closed: "Its author revoked the device that posted it, and this post is later.",
  unlinked: "It cannot be checked yet: some earlier entries of the same device have not arrived.",
  not_wanted: "Nobody on this node follows its author, and your node fetches only posts by people you follow.",
  quota: "The space limit was reached, and older posts by this author were removed.",
  purge: "You dropped its words, on this node only. If you show it again, your node asks other nodes for them.",
  mute: "You mute its author, or the author of the post it repeats.",
  allow: "You chose to always show it.",
  parent: "It replies to a post that is not on your node.",
};

function plainly(why) {
  const word = why.rule === "word" && /"([^]*)", which you mute/.exec(why.words);
  if (word) return ["It contains the word “", h("bdi", {}, word[1]), "”, which you mute."];
  return PLAIN[why.rule] || why.words[0].toUpperCase() + why.words.slice(1) + ".";
}

function reason(box, address, why, told, given) {
  const buttons = [];
  const offer = (verb, about) => {
    const key = verb + " " + about;
    if (given.has(key)) return;
    given.add(key);
    buttons.push(exception(box, address, verb, about));
  };
  if (why.verb && VERBS[why.verb]) offer(why.verb, why.about);
  const isHere = told.state !== "missing" && told.state !== "pruned" && told.state !== "unknown";
  if (why.hides && isHere && why.rule !== "block" && why.verb) offer("allow", told.post);
  if (why.hides && told.author && OF_PERSON.has(why.rule)) offer("allow", told.author);
  buttons.forEach(([, one], i) => one.classList.toggle("strong", why.hides && i === 0));
  return h("li", {}, h("p", { dir: "auto" }, plainly(why)),
    buttons.length > 0 ? h("ul", { class: "plain choices" }, buttons.map(([scope, one]) => h("li", {}, one, h("span", { class: "soft" }, scope)))) : null);
}

const NOT_HIDDEN = new Set(["missing", "pruned", "unknown", "erased", "purged", "no_body"]);
const TITLES = { visible: "Why is this shown?", missing: "Why is this not here?", pruned: "Why is this not here?", unknown: "Why is this not here?", erased: "Why are the words gone?", purged: "Why are the words gone?", no_body: "Why are the words missing?" };

// Whose it is and when, and the words of what is shown anyhow.
async function which(address, told) {
  try {
    const post = await get("posts/" + part(address));
    return h("blockquote", { class: "quoted" }, h("div", { class: "top" }, h("strong", {}, nameOf(post.author, post.author_name)), " ", time(post)),
      told.state === "visible" && post.text ? h("div", { class: "text", dir: "auto" }, post.text.length > 200 ? post.text.slice(0, 200).toWellFormed() + "…" : post.text) : null);
  } catch {
    return null; // not here
  }
}

function listOf(words, items, attributes = {}) {
  return items.length > 0 ? [h("h3", {}, words), h("ol", { class: "plain", ...attributes }, items)] : null;
}

async function showWhy(box, address) {
  const told = await get("why/" + part(address)), about = await which(address, told);
  const given = new Set();
  const made = (hides) => told.reasons.filter((one) => one.hides === hides).map((one) => reason(box, address, one, told, given));
  const against = made(true), others = made(false);
  const title = box.closest("dialog")?.querySelector("h2");
  if (title) title.textContent = TITLES[told.state] || "Why is this hidden?";
  fill(box, unread(told), about,
    h("p", { class: "verdict" + (told.state === "visible" ? "" : " warn") }, h("strong", { "data-state": told.state }, VERDICTS[told.state] || told.state)),
    listOf(NOT_HIDDEN.has(told.state) ? "The reason" : "What hides it", against, { class: "plain hides" }),
    listOf(against.length > 0 ? "Also" : "The reason", others),
    told.reasons.length === 0 ? h("p", { class: "soft" }, "No reason is recorded.") : null,
    given.size > 0 ? h("p", { class: "soft" }, "Your choice counts on this node only. You can undo it under You, “Muted, blocked, always shown”. Following is public; of the rest nobody is told.") : null);
}

export async function openWhy(address) {
  const body = h("div", {}, h("p", { class: "soft" }, "Reading…"));
  const box = dialog("Why?", null, body, h("div", { class: "ends" }, button("Close", () => box.close())));
  try {
    await showWhy(body, address);
  } catch (error) {
    fill(body, h("p", { class: "fault" }, error.message));
  }
}

export const unlist = (list, what) => send("lists", { list, on: false, ...what });
export const unfollow = (author) => remove("follows/" + part(author));

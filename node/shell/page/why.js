// Why a post is here, hidden or missing, and a click to have it otherwise.
import { get, part, post as send, remove } from "./api.js";
import { act, button, dialog, fill, h, time, toast, unread } from "./dom.js";
import { tell } from "./post.js";
import { nameOf } from "./text.js";

const STATES = {
  visible: "It is shown.",
  muted: "It is here. Your timeline and threads leave it out.",
  blocked: "It is by somebody whom you block.",
  erased: "Its author took it back.",
  purged: "You dropped its words here.",
  pruned: "It went because the disk's limit was reached.",
  no_body: "It is here without its words.",
  missing: "It is not here.",
  hidden: "It is here, and hidden.",
  frozen: "It is here, and hidden: its author's device said two different things at once.",
  unknown: "Nothing is known here that it could belong to.",
};

// What hides it, and which exceptions can be made: of the person, of this post alone.
const OF_PERSON = new Set(["word", "closed", "void", "fork", "unlinked", "quota"]);

const VERBS = {
  allow: (about) => [about.startsWith("post1") ? "Show this post" : "Show everything of this person", "lists", { list: "allow", ...named(about), on: true }],
  unallow: (about) => ["Leave it to the rules again", "lists", { list: "allow", ...named(about), on: false }],
  unmute: (about) => ["Unmute the person", "lists", { list: "mute", author: about, on: false }],
  unblock: (about) => ["Unblock the person", "lists", { list: "block", author: about, on: false }],
  follow: (about) => ["Follow the person", "follows", { author: about }],
};

const named = (about) => (about.startsWith("post1") ? { post: about } : { author: about });

function exception(box, address, verb, about) {
  const [words, path, body] = VERBS[verb](about);
  return button(words, act(async () => {
    await send(path, body);
    toast("Done.");
    tell("lists");
    await show(box, address);
  }), { "data-verb": verb });
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
  buttons.forEach((one, i) => one.classList.toggle("strong", why.hides && i === 0));
  return h("li", {}, h("p", { dir: "auto" }, why.words[0].toUpperCase() + why.words.slice(1) + "."), buttons.length > 0 ? h("div", { class: "row" }, buttons) : null);
}

const TITLES = { visible: "Why is this shown?", missing: "Why is this not here?", pruned: "Why is this not here?", unknown: "Why is this not here?" };

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

async function show(box, address) {
  const told = await get("why/" + part(address)), about = await which(address, told);
  const given = new Set();
  const made = (hides) => told.reasons.filter((one) => one.hides === hides).map((one) => reason(box, address, one, told, given));
  const against = made(true), others = made(false);
  const title = box.closest("dialog")?.querySelector("h2");
  if (title) title.textContent = TITLES[told.state] || "Why is this hidden?";
  fill(box, unread(told), about,
    h("p", { class: "verdict" + (told.state === "visible" ? "" : " warn") }, h("strong", { "data-state": told.state }, STATES[told.state] || told.state)),
    listOf("What hides it", against, { class: "plain hides" }),
    listOf(against.length > 0 ? "What speaks for it" : "Because", others),
    told.reasons.length === 0 ? h("p", { class: "soft" }, "Nothing speaks against it.") : null,
    given.size > 0 ? h("p", { class: "soft" }, "Whatever you choose is yours alone: nobody is told, and nothing changes anywhere else.") : null);
}

export async function openWhy(address) {
  const body = h("div", {}, h("p", { class: "soft" }, "Asking…"));
  const box = dialog("Why?", null, body, h("div", { class: "ends" }, button("Close", () => box.close())));
  try {
    await show(body, address);
  } catch (error) {
    fill(body, h("p", { class: "fault" }, error.message));
  }
}

export const unlist = (list, what) => send("lists", { list, on: false, ...what });
export const unfollow = (author) => remove("follows/" + part(author));

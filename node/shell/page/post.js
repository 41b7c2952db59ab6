// One post as a card, and what can be done with it.
import { get, part, post as send } from "./api.js";
import { compose } from "./compose.js";
import { act, button, confirmWith, fill, h, put, say, time, toast } from "./dom.js";
import { face, icon } from "./icons.js";
import { state } from "./state.js";
import { markWords, nameOf, plainName, tagsOf, textOf, who } from "./text.js";
import { openWhy } from "./why.js";

const GONE = {
  muted: "Left out because of what you mute",
  blocked: "By somebody whom you block",
  erased: "Its author took this back",
  purged: "You dropped the words of this here",
  no_body: "The words of this have not come here",
  hidden: "Hidden: its author's keys do not vouch for it",
  unknown: "Of a kind that this version does not know",
};

// Held, but its bytes are damaged: not the same as not here.
const lacks = (post, name) => (post.unread || []).includes(name);
const gone = (post) => (lacks(post, "text") ? "The words of this cannot be read: the store is damaged" : GONE[post.kind]);

// Told after something was changed here, so that what is seen is seen anew.
export const changed = new EventTarget();
export const tell = (what) => changed.dispatchEvent(new CustomEvent("change", { detail: what }));

const isLong = (text) => text.length > 1400 || text.split("\n", 22).length > 20;

function body(post, marks) {
  const text = textOf(post);
  if (marks) markWords(text, marks);
  if (!isLong(post.text)) return [text, tagsOf(post)];
  text.classList.add("long");
  const all = button("Show all of it", () => { text.classList.remove("long"); all.remove(); }, { class: "plain" });
  return [text, all, tagsOf(post)];
}

// A warning of the author's stands before the words, which open by a click.
function words(post, marks) {
  if (!post.text) return null;
  if (!post.warning) return body(post, marks);
  return h("details", { class: "fold" }, h("summary", {}, "Warning: ", h("bdi", { dir: "auto" }, post.warning)), body(post, marks));
}

function quoted(inner) {
  if (!inner) return null;
  if (GONE[inner.kind]) return h("div", { class: "quoted soft" }, gone(inner), ". ", whyButton(inner.post));
  return h("blockquote", { class: "quoted" },
    h("div", { class: "top" }, who(inner.author, inner.author_name), h("a", { href: "#/post/" + inner.post }, time(inner))),
    words(inner));
}

const whyButton = (address, attributes = { class: "plain" }) => button("Why?", () => openWhy(address), { ...attributes, "data-act": "why" });

function missing(address, words_) {
  return h("div", { class: "quoted soft" }, words_, " ", whyButton(address));
}

const missingEchoed = (post) => missing(post.echo_of, lacks(post, "echoed") ? "What was reposted cannot be read: the store is damaged." : "What was reposted is not here, or is hidden.");
const missingQuoted = (post) => missing(post.quote, lacks(post, "quoted") ? "What is quoted cannot be read: the store is damaged." : "What is quoted is not here.");

function context(post, options = {}) {
  if (post.kind === "echo" && !post.text)
    return h("div", { class: "context" }, h("a", { href: "#/who/" + post.author }, nameOf(post.author, post.author_name)), " reposted", h("a", { href: "#/post/" + post.post }, time(post)));
  if (post.kind === "echo") return h("div", { class: "context" }, "reposts, and says");
  if (!post.reply_to || post.reply_to === options.below) return null; // it stands right below that one
  const author = post.reply_to_author;
  return h("div", { class: "context" }, "replies to",
    h("a", { href: "#/post/" + post.reply_to }, options.me && author === state.me ? "you" : author ? nameOf(author, (post.names || {})[author]) : "a post"),
    post.about === null && post.parent_here !== true ? [h("span", {}, lacks(post, "about") || lacks(post, "parent_here") ? "(cannot be read)" : "(not here)"), whyButton(post.reply_to)] : null);
}

async function vote(address, value) {
  await send("votes", { post: address, value });
  return get("posts/" + part(address), { details: 1 });
}

function voteButton(post, value, sign, words_, counted) {
  const mine = post.votes?.mine === value;
  return button([sign, counted > 0 ? " " + counted : ""], act(async (event) => {
    const card = event.currentTarget.closest("article");
    const fresh = await vote(post.post, mine ? 0 : value);
    replaceCard(card, fresh, post);
    say(mine ? "Vote taken back" : "Voted " + words_);
  }), { class: "plain", "aria-pressed": String(mine), "aria-label": `Vote ${words_}, ${counted}`, "data-act": value > 0 ? "up" : "down" });
}

const atLeast = (count) => (count >= 100 ? "99+" : count || "");

function acts(post) {
  const can = Boolean(state.me);
  const votes = post.votes || { up: 0, down: 0 };
  return h("div", { class: "acts" },
    can && button([icon("reply"), "Reply ", atLeast(post.replies)], () => compose({ reply: post }), { class: "plain", "data-act": "reply" }),
    can && button([icon("echo"), "Repost ", atLeast(post.echoes)], act(async () => {
      await send("echoes", { post: post.post });
      toast("Reposted: who follows you gets it.");
      tell("echo");
    }), { class: "plain", "data-act": "echo" }),
    can && button([icon("quote"), "Quote"], () => compose({ quote: post }), { class: "plain", "data-act": "quote" }),
    can && voteButton(post, 1, "▲", "up", votes.up),
    can && voteButton(post, -1, "▼", "down", votes.down),
    menu(post));
}

// Made when it is opened first: few are.
function menu(post) {
  const list = h("div", {});
  const open = () => list.hasChildNodes() || put(list, menuItems(post));
  return h("details", { class: "menu more" }, h("summary", { "aria-label": "More", onclick: open }, "More"), list);
}

function menuItems(post) {
  const own = post.author === state.me;
  const called = plainName(post.author, post.author_name);
  return [
    h("a", { href: "#/post/" + post.post, class: "button plain" }, "The whole thread"),
    whyButton(post.post),
    button("Copy its address", act(async () => { await navigator.clipboard.writeText(post.post); toast("Copied."); }), { class: "plain" }),
    !own && state.me && button("Mute the author", act(() => onList("mute", { author: post.author }, `Nothing of ${called} is shown in your timeline any more.`)), { class: "plain" }),
    !own && button("Block the author", act(async () => {
      if (await confirmWith("Block?", `Nothing of ${called} will be taken, given on or shown here. Nobody is told. You can unblock at any time.`, "Block"))
        await onList("block", { author: post.author }, "Blocked.");
    }), { class: "plain" }),
    button("Drop its words here", act(async () => {
      if (await confirmWith("Drop it here?", "Its words go from this node and from no other. Showing it again asks whoever has them.", "Drop"))
        await purge(post.post, own);
    }), { class: "plain" }),
    own && button("Take it back", act(async () => {
      if (await confirmWith("Take it back?", "Nodes that hear of it hide this post and drop its words. Whoever wants to keep them can: what was public cannot be made unsaid.", "Take it back", { class: "bad" }))
        await erase(post.post);
    }), { class: "plain bad" })];
}

export async function onList(list, what, words_) {
  await send("lists", { list, on: true, ...what });
  toast(words_);
  tell("lists");
}

async function purge(address, own) {
  await send("purges", { post: address, ...(own ? { force: true } : {}) });
  toast("Dropped here.");
  tell("purge");
}

async function erase(address) {
  await send("erasures", { post: address });
  toast("Taken back.");
  tell("erase");
}

function label(post) {
  return `${plainName(post.author, post.author_name)}: ${(post.text || GONE[post.kind] || "").slice(0, 120)}`;
}

// options: depth (in a thread), below (the post that it stands under), here (the one that was asked
// for), marks (words to be seen at once), me (the reader is called "you")
export function card(post, options = {}) {
  const article = h("article", {
    class: "post" + (GONE[post.kind] ? " ghost" : "") + (options.here ? " here" : "") + (options.depth ? " answer" : ""),
    tabindex: 0, "data-post": post.post, "aria-label": label(post),
  });
  if (options.depth) article.style.setProperty("--depth", options.depth);
  article.options = options;
  return drawCard(article, post);
}

function drawCard(article, post) {
  article.post = post;
  if (GONE[post.kind])
    return fill(article, h("div", { class: "gone" },
      h("span", { class: "grow" }, h("strong", {}, gone(post)), h("span", { class: "by" }, h("a", { href: "#/who/" + post.author, title: post.author }, nameOf(post.author, post.kind === "blocked" ? null : post.author_name)), " · ", time(post))),
      whyButton(post.post, {})));
  if (post.kind === "echo" && !post.text)
    return fill(article, context(post, article.options),
      post.echoed ? inner(article, post.echoed) : missingEchoed(post));
  return fill(article, context(post, article.options),
    h("div", { class: "top" }, face(post.author, post.author_name), who(post.author, post.author_name), h("a", { class: "when", href: "#/post/" + post.post }, time(post))),
    words(post, article.options.marks),
    post.kind === "echo" ? (post.echoed ? quoted(post.echoed) : missingEchoed(post)) : null,
    post.quote ? (post.quoted ? quoted(post.quoted) : missingQuoted(post)) : null,
    acts(post));
}

// An echo without words shows what it passes on as if it stood there itself.
function inner(article, echoed) {
  article.target = echoed;
  if (GONE[echoed.kind]) return missing(echoed.post, gone(echoed) + ".");
  return [
    h("div", { class: "top" }, face(echoed.author, echoed.author_name), who(echoed.author, echoed.author_name), h("a", { class: "when", href: "#/post/" + echoed.post }, time(echoed))),
    words(echoed),
    echoed.quote ? (echoed.quoted ? quoted(echoed.quoted) : missingQuoted(echoed)) : null,
    acts(echoed)];
}

function replaceCard(article, fresh, before) {
  if (article.post.post === before.post) drawCard(article, fresh);
  else drawCard(article, { ...article.post, echoed: fresh });
}

// After somebody voted: the figures of what is on the page.
export async function refreshCard(article) {
  try {
    const fresh = await get("posts/" + part(article.post.post), { details: 1 });
    const open = article.querySelector("details[open]");
    if (!open) drawCard(article, fresh);
  } catch {
    // it went meanwhile: the next look says so
  }
}

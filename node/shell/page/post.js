// One post as a card, and what can be done with it.
import { get, part, send } from "./api.js";
import { compose } from "./compose.js";
import { act, button, confirmWith, fill, h, many, put, say, time, toast } from "./dom.js";
import { face, icon } from "./icons.js";
import { state } from "./state.js";
import { markWords, nameOf, plainName, tagsOf, textOf, who } from "./text.js";
import { openWhy } from "./why.js";

const GONE = {
  muted: "Hidden because of something you mute",
  blocked: "By somebody you block",
  erased: "Its author took this back",
  purged: "You dropped the words of this post here",
  no_body: "The words of this post have not arrived yet",
  hidden: "Hidden: its author's keys do not vouch for it",
  unknown: "A kind of post that this version does not know",
};

// Held, but its bytes are damaged: not the same as not here.
const lacks = (post, name) => (post.unread || []).includes(name);
const gone = (post) => (lacks(post, "text") ? "The words of this post cannot be read: the store is damaged" : GONE[post.kind]);

// Told after something was changed here, so that what is seen is seen anew.
export const changed = new EventTarget();
export const tell = (what) => changed.dispatchEvent(new CustomEvent("change", { detail: what }));

const isLong = (text) => text.length > 1400 || text.split("\n", 22).length > 20;

function body(post, marks) {
  const text = textOf(post);
  if (marks) markWords(text, marks);
  if (!isLong(post.text)) return [text, tagsOf(post)];
  text.classList.add("long");
  const all = button("Show more", () => { text.classList.remove("long"); all.remove(); }, { class: "plain" });
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

const missingEchoed = (post) => missing(post.echo_of, lacks(post, "echoed") ? "The reposted post cannot be read: the store is damaged." : "The reposted post is not here, or is hidden.");
const missingQuoted = (post) => missing(post.quote, lacks(post, "quoted") ? "The quoted post cannot be read: the store is damaged." : "The quoted post is not here.");

const SAYS = { mention: "Mentioned you", quote: "Quoted you" };

function context(post, options = {}) {
  if (post.kind === "echo" && !post.text)
    return h("div", { class: "context" }, h("a", { href: "#/who/" + post.author }, nameOf(post.author, post.author_name)), " reposted", h("a", { href: "#/post/" + post.post }, time(post)));
  if (options.me && SAYS[post.concerns]) return h("div", { class: "context" }, SAYS[post.concerns]);
  if (post.kind === "echo") return h("div", { class: "context" }, "Quoted");
  if (!post.reply_to || post.reply_to === options.below) return null; // it stands right below that one
  const author = post.reply_to_author;
  return h("div", { class: "context" }, "Replied to",
    h("a", { href: "#/post/" + post.reply_to }, options.me && author === state.me ? "you" : author ? nameOf(author, (post.names || {})[author]) : "a post"),
    post.about === null && post.parent_here !== true ? [h("span", {}, lacks(post, "about") || lacks(post, "parent_here") ? "(cannot be read)" : "(not here)"), whyButton(post.reply_to)] : null);
}

async function vote(address, value) {
  await send("votes", { post: address, value });
  return get("posts/" + part(address), { details: 1 });
}

function voteButton(post, value, sign, words_, counted) {
  const mine = post.votes?.mine === value;
  return button([sign, " ", counted], act(async (event) => {
    const card = event.currentTarget.closest("article");
    const fresh = await vote(post.post, mine ? 0 : value);
    replaceCard(card, fresh, post);
    say(mine ? "Vote taken back" : "Voted " + words_);
  }), { class: "plain", "aria-pressed": String(mine), title: `${mine ? `Take back your vote ${words_}` : `Vote ${words_}`}. Each person's latest vote counts, as far as it has arrived here.`, "aria-label": `Vote ${words_}: ${many(counted, "vote")}`, "data-act": value > 0 ? "up" : "down" });
}

const atLeast = (count) => (count >= 100 ? "99+" : count || "");

// Whoever reposted it here is seen by the button, as far as this page knows of it.
const echoed = new Set();
function echoButton(post) {
  const isMine = echoed.has(post.post);
  return button([icon("echo"), isMine ? "Reposted " : "Repost ", atLeast(post.echoes)], act(async (event) => {
    if (isMine) { toast("You have reposted this already."); return; }
    const card = event.currentTarget.closest("article");
    await send("echoes", { post: post.post });
    echoed.add(post.post);
    replaceCard(card, await get("posts/" + part(post.post), { details: 1 }), post);
    toast("Reposted to your followers.");
    tell("echo");
  }), { class: "plain", "aria-pressed": String(isMine), "data-act": "echo" });
}

function acts(post) {
  const can = Boolean(state.me);
  const votes = post.votes || { up: 0, down: 0 };
  return h("div", { class: "acts" },
    can && button([icon("reply"), "Reply ", atLeast(post.replies)], () => compose({ reply: post }), { class: "plain", "data-act": "reply" }),
    can && echoButton(post),
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
    !own && state.me && button("Mute the author", act(() => onList("mute", { author: post.author }, `Muted: ${called} no longer appears in your timeline.`)), { class: "plain" }),
    !own && button("Block the author", act(async () => {
      if (await confirmWith("Block?", `Your node will no longer receive, pass on or show anything by ${called}. Nobody is told. You can unblock at any time.`, "Block"))
        await onList("block", { author: post.author }, "Blocked.");
    }), { class: "plain" }),
    button("Drop its words here", act(async () => {
      if (await confirmWith("Drop its words here?", "Its words are removed from this node only. If you show it again, your node asks other nodes for them.", "Drop"))
        await purge(post.post, own);
    }), { class: "plain" }),
    own && button("Take it back", act(async () => {
      if (await confirmWith("Take it back?", "Other nodes are asked to hide this post and remove its words. Anybody who wants to keep a copy can: what was public cannot be made unsaid.", "Take it back", { class: "bad" }))
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
  if (post.echo_of && post.author === state.me) echoed.add(post.echo_of);
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

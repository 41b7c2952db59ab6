// A stranger's text as elements: line by line what it says, with links that are only followed when
// they are clicked. Names and texts are isolated, so that a direction or an override of one never
// reaches its neighbours.
import { h } from "./dom.js";

export const shortKey = (author) => author.slice(0, 11) + "…" + author.slice(-4);

// What shows nothing shows the key instead.
export const isVisible = (name) => name && /[^\p{Z}\p{C}\p{M}\u115f\u1160\u2800\u3164\uffa0]/u.test(name);

export function who(author, name, attributes = {}) {
  return h("a", { class: "who", href: "#/who/" + author, title: author, ...attributes },
    isVisible(name) ? h("bdi", { class: "name", dir: "auto" }, oneLine(name)) : h("span", { class: "name soft" }, "no name"),
    h("span", { class: "key" }, shortKey(author)));
}

export const nameOf = (author, name) => isVisible(name) ? h("bdi", { class: "name", dir: "auto" }, oneLine(name)) : h("span", { class: "key" }, shortKey(author));

export const plainName = (author, name) => (isVisible(name) ? oneLine(name).slice(0, 60) : shortKey(author));

export const oneLine = (name) => name.replace(/[\p{Zl}\p{Zp}\p{Cc}]+/gu, " ");

const PIECES = /(https?:\/\/[^\s<>"'\p{C}]+)|(#[\p{L}\p{M}\p{N}_]+)|(@[^\s#@]+)|(\b(?:post1|parley1)[02-9ac-hj-np-z]{20,})/gu;

function link(address) {
  const tail = /[.,;:!?)\]}'"]*$/.exec(address)[0];
  const plain = address.slice(0, address.length - tail.length);
  let url;
  try {
    url = new URL(plain);
  } catch {
    return address;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return address;
  return [h("a", { href: url.href, rel: "noopener noreferrer nofollow", target: "_blank", referrerpolicy: "no-referrer" }, plain), tail];
}

function mention(word, post) {
  for (const [author, name] of Object.entries(post.names || {})) {
    if (!name || !(post.mentions || []).includes(author)) continue;
    const called = name.replace(/\s+/gu, "_");
    if (word.slice(1, 1 + called.length) === called)
      return [h("a", { href: "#/who/" + author, title: author }, h("bdi", {}, word.slice(0, 1 + called.length))), word.slice(1 + called.length)];
    if (word.slice(1).startsWith(author))
      return [h("a", { href: "#/who/" + author, title: author }, "@", h("bdi", {}, name)), word.slice(1 + author.length)];
  }
  return word;
}

const tagLink = (word) => h("a", { href: "#/tag/" + encodeURIComponent(word.slice(1)) }, h("bdi", {}, word));

function reference(word) {
  if (word.startsWith("post1") && word.length > 60) return h("a", { href: "#/post/" + word, title: word }, word.slice(0, 16) + "…");
  if (word.startsWith("parley1") && word.length > 50) return h("a", { href: "#/who/" + word, title: word }, shortKey(word));
  return word;
}

export function textOf(post) {
  const text = post.text, parts = [];
  const tags = new Set(post.tags || []);
  let at = 0;
  for (const found of text.matchAll(PIECES)) {
    parts.push(text.slice(at, found.index));
    const [word, address, tag, at_, ref] = found;
    if (address) parts.push(link(word));
    else if (tag) parts.push(tags.has(word.slice(1)) ? tagLink(word) : word);
    else if (at_) parts.push(mention(word, post));
    else if (ref) parts.push(reference(word));
    at = found.index + word.length;
  }
  parts.push(text.slice(at));
  return h("div", { class: "text", dir: "auto", lang: /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(post.language || "") ? post.language : null }, parts);
}

// Whole words that were looked for, marked where they stand. Only text nodes are split.
export function markWords(element, words) {
  const alternatives = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  if (!alternatives) return;
  const wanted = new RegExp(`(?<![\\p{L}\\p{N}])(?:${alternatives})(?![\\p{L}\\p{N}])`, "giu");
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) {
    const parts = [];
    let at = 0;
    for (const found of node.data.matchAll(wanted)) {
      parts.push(node.data.slice(at, found.index), h("mark", {}, found[0]));
      at = found.index + found[0].length;
    }
    if (at > 0) node.replaceWith(...parts, node.data.slice(at));
  }
}

// Tags that the text does not show.
export function tagsOf(post) {
  const rest = (post.tags || []).filter((tag) => !post.text.includes("#" + tag));
  return rest.length === 0 ? null : h("div", { class: "tags" }, rest.map((tag) => tagLink("#" + tag)));
}

export function tagsIn(text) {
  const found = new Set();
  for (const [, word] of text.matchAll(/#([\p{L}\p{M}\p{N}_]+)/gu))
    if (new TextEncoder().encode(word).length <= 64 && found.size < 32) found.add(word);
  return [...found];
}

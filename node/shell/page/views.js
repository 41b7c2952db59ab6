// What can be looked at: posts and people.
import { get, part, post as send } from "./api.js";
import { composer } from "./compose.js";
import { act, button, fill, h, put, time, toast } from "./dom.js";
import { face } from "./icons.js";
import { PostList } from "./list.js";
import { card, onList, tell } from "./post.js";
import { kept, learnPeople, learnSelf, state } from "./state.js";
import { nameOf, shortKey, who } from "./text.js";
import { followForm, invitation, welcome } from "./welcome.js";
import { openWhy, unfollow, unlist } from "./why.js";

const title = (words) => h("h1", {}, words);

/* ---- home ----------------------------------------------------------------------------------- */

function hiddenSwitch() {
  const shown = kept.get("hidden") === "1";
  return h("label", { class: "check" },
    h("input", { type: "checkbox", checked: shown, onchange: (event) => { kept.set("hidden", event.target.checked ? "1" : "0"); tell("switch"); } }),
    "Show where something is hidden, and why");
}

function emptyHome() {
  if (!state.me) return h("p", { class: "soft" }, "Nothing has been carried yet. As soon as another node connects, its posts show up here.");
  if (state.people.some((one) => one.followed))
    return h("div", { class: "card" },
      h("p", {}, "Nothing has come from whom you follow yet."),
      h("p", { class: "soft" }, "It comes by itself as soon as a node that has it is connected. ", h("a", { href: "#/node" }, "See who is connected.")));
  return h("div", { class: "card" }, h("p", {}, "Your timeline shows whom you follow. You follow nobody yet."),
    h("a", { href: "#/people" }, "Find somebody to follow"), " or write the first post above.");
}

export async function home() {
  const after = Promise.all([learnSelf(), learnPeople()]);
  const list = new PostList("timeline", kept.get("hidden") === "1" ? { hidden: 1 } : {}, { empty: emptyHome, after });
  const filled = list.more();
  await after;
  await Promise.race([filled, list.begun]);
  return {
    title: "Home", list,
    element: h("div", {}, h("h1", { class: "unseen" }, "Home"), welcome(), state.me ? h("section", { class: "card", "aria-label": "Write" }, composer({ draft: "home" })) : null,
      h("details", { class: "soft shown" }, h("summary", {}, "Hidden posts"), hiddenSwitch()), list.element),
  };
}

/* ---- one thread ------------------------------------------------------------------------------ */

function depths(posts) {
  const depth = new Map();
  for (const post of posts) depth.set(post.post, post.reply_to && depth.has(post.reply_to) ? depth.get(post.reply_to) + 1 : post.reply_to ? 1 : 0);
  return depth;
}

// Each answer below what it answers, in the order of time.
function inOrder(posts) {
  const below = new Map(), here = new Set(posts.map((post) => post.post)), ordered = [];
  for (const post of posts) {
    const under = post.reply_to && here.has(post.reply_to) && post.reply_to !== post.post ? post.reply_to : "";
    below.set(under, [...(below.get(under) || []), post]);
  }
  const stack = [...(below.get("") || [])].reverse();
  while (stack.length > 0) {
    const post = stack.pop();
    ordered.push(post);
    stack.push(...[...(below.get(post.post) || [])].reverse());
  }
  return ordered;
}

export async function thread(address) {
  let told;
  try {
    told = await get("threads/" + part(address), { details: 1, limit: 300 });
  } catch (error) {
    return { title: "A post", element: h("div", {}, title("A post"), h("div", { class: "card" },
      h("p", {}, error.message), button("Why?", () => openWhy(address), { class: "strong" }))) };
  }
  const element = h("div", { class: "thread" }, title("Thread"));
  if (!told.root_here)
    put(element, h("div", { class: "post ghost" }, "What began this is not here, or is hidden. ", button("Why?", () => openWhy(told.root), { class: "plain" })));
  let posts = told.posts;
  const list = h("div", { role: "feed", "aria-label": "Thread" });
  const below = h("div");
  let next = told.next;
  const draw = () => {
    const depth = depths(posts);
    fill(list, inOrder(posts).map((post) => card(post, { depth: depth.get(post.post), here: post.post === address })));
    fill(below);
    if (next !== null)
      put(below, button("More replies", act(async () => {
        const page = await get("threads/" + part(address), { details: 1, limit: 300, after: next });
        posts.push(...page.posts);
        next = page.next;
        draw();
      })));
  };
  draw();
  put(element, list, below);
  const asked = posts.find((post) => post.post === address);
  if (state.me && asked && asked.text)
    put(element, h("section", { class: "card", "aria-label": "Reply" }, composer({ reply: asked, label: "Your reply" })));
  // What is being written below it stays.
  const refresh = async () => {
    const fresh = await get("threads/" + part(address), { details: 1, limit: 300 });
    if (fresh.posts.length < posts.length) return;
    posts = fresh.posts;
    next = fresh.next;
    draw();
  };
  return { title: "Thread", element, refresh, focus: () => list.querySelector(".here") };
}

/* ---- a person --------------------------------------------------------------------------------- */

function relation(one) {
  if (one.self) return "This is you.";
  if (one.blocked) return "You block them: nothing of theirs is taken, given on or shown.";
  if (one.followed) return one.private ? "You follow them; nobody is told." : "You follow them.";
  if (one.wanted) return "Somebody whom you follow follows them.";
  return one.known ? "You do not follow them: of theirs is kept what is answered by somebody you follow." : "Nothing of them has come here yet.";
}

function personActs(one) {
  const done = (words) => { toast(words); tell("people"); };
  const toggle = (on, list, put_, off) => on
    ? button(off, act(async () => { await unlist(list, { author: one.author }); done("Done."); }))
    : button(put_, act(() => onList(list, { author: one.author }, "Done.")));
  if (one.self) return h("div", { class: "row" }, h("a", { href: "#/me" }, "Edit your profile"));
  return h("div", { class: "row" },
    state.me && (one.followed
      ? button("Unfollow", act(async () => { await unfollow(one.author); done("You follow them no longer."); }))
      : [button("Follow", act(async () => { await send("follows", { author: one.author }); done("You follow them."); }), { class: "strong" }),
        button("Follow privately", act(async () => { await send("follows", { author: one.author, private: true }); done("You follow them, and nobody is told."); }))]),
    toggle(one.muted, "mute", "Mute", "Unmute"), toggle(one.blocked, "block", "Block", "Unblock"),
    toggle(one.allowed, "allow", "Always show", "Leave it to the rules"));
}

function personCard(one) {
  return h("section", { class: "card" },
    h("div", { class: "top" }, face(one.author, one.name), h("h1", {}, nameOf(one.author, one.name))),
    one.about ? h("div", { class: "text", dir: "auto" }, one.about) : null,
    h("p", { class: "soft" }, relation(one), one.muted ? " You mute them." : "", one.allowed ? " Nothing of theirs is hidden here." : "",
      one.entries > 0 ? ` ${one.entries} of their entries are here.` : ""),
    h("p", {}, h("span", { class: "key" }, one.author)),
    personActs(one));
}

export async function person(author) {
  const one = await get("people/" + part(author));
  const list = new PostList("timeline", { author: one.author, ...(one.blocked || kept.get("hidden") === "1" ? { hidden: 1 } : {}) }, {
    empty: () => h("p", { class: "soft" }, one.followed ? "None of their posts are here yet. They come from whichever node has them." : "None of their posts are here."),
  });
  await list.more();
  return { title: one.name || shortKey(one.author), list, element: h("div", {}, personCard(one), list.element) };
}

export async function tag(word) {
  const list = new PostList("timeline", { tag: word }, { empty: () => h("p", { class: "soft" }, "Nobody whose posts you get has used this tag.") });
  await list.more();
  return { title: "#" + word, list, element: h("div", {}, h("h1", {}, h("bdi", {}, "#" + word)), list.element) };
}

export async function search(words) {
  const list = new PostList("search", { q: words }, { empty: () => h("div", { class: "card" },
    h("p", {}, "No post that is here has these words."),
    h("p", { class: "soft" }, "Only what your node holds is searched; nobody is asked, and nobody learns what you look for.")) });
  if (/^post1[02-9ac-hj-np-z]{20,}$/.test(words)) { location.hash = "#/post/" + words; return null; }
  if (/^parley1[02-9ac-hj-np-z]{20,}$/.test(words)) { location.hash = "#/who/" + words; return null; }
  await list.more();
  return { title: "Search", list, element: h("div", {}, h("h1", {}, "Search: ", h("bdi", {}, words)), list.element) };
}

/* ---- what concerns you ------------------------------------------------------------------------- */

const CONCERNS = { reply: "replies to you", mention: "mentions you", quote: "quotes you", echo: "reposted your post", follow: "follows you" };

function notice(post) {
  if (post.concerns === "reply" || post.concerns === "mention" || post.concerns === "quote") return card(post);
  const words = post.concerns === "vote" ? (post.value > 0 ? "voted your post up" : "voted your post down") : CONCERNS[post.concerns];
  const what = post.concerns === "echo" ? post.echoed : post.about;
  return h("article", { class: "post", tabindex: 0, "data-post": post.post },
    h("div", { class: "context" }, face(post.author, post.author_name), who(post.author, post.author_name), h("span", {}, words), h("span", { class: "push" }), time(post)),
    post.text ? h("div", { class: "text", dir: "auto" }, post.text) : null,
    what?.text ? h("a", { class: "quoted soft", href: "#/post/" + what.post }, h("bdi", { class: "text", dir: "auto" }, what.text.slice(0, 200))) : null);
}

export async function notices() {
  if (!state.me) return { title: "Activity", element: h("div", {}, title("Activity"), h("p", { class: "soft" }, "This node is nobody's: it carries for everybody, and nobody speaks to it.")) };
  const list = new PostList("notifications", {}, {
    make: notice,
    empty: () => h("div", { class: "card" }, h("p", {}, "Nobody has replied to, mentioned or followed you yet."),
      h("p", { class: "soft" }, "Give a friend your invitation:"), invitation()),
  });
  await list.more();
  return { title: "Activity", list, element: h("div", {}, title("Activity"), list.element) };
}

/* ---- people ------------------------------------------------------------------------------------- */

function personRow(one) {
  return h("li", { class: "row" }, face(one.author, one.name), who(one.author, one.name),
    h("span", { class: "soft" }, [one.followed && one.private && "private", one.muted && "muted", one.blocked && "blocked"].filter(Boolean).join(", ")),
    h("span", { class: "push" }, one.followed || !state.me ? null : button("Follow", act(async () => {
      await send("follows", { author: one.author });
      toast("You follow them.");
      tell("people");
    }))));
}

function peopleList(words, people, none) {
  return h("section", { class: "card" }, h("h2", {}, words), people.length > 0 ? h("ul", { class: "plain" }, people.map(personRow)) : h("p", { class: "soft" }, none));
}

export async function people() {
  await Promise.all([learnSelf(), learnPeople()]);
  return {
    title: "People",
    element: h("div", {}, title("People"), state.me ? h("section", { class: "card" }, h("h2", {}, "Follow somebody"), followForm()) : null,
      state.me ? h("section", { class: "card" }, h("h2", {}, "Your invitation"), invitation()) : null,
      peopleList("Whom you follow", state.people.filter((one) => one.followed), "Nobody yet. Paste what a friend gives you above."),
      peopleList("Others who are known here", state.people.filter((one) => !one.followed && one.known), "Nobody: they show up when somebody you follow follows or answers them.")),
  };
}

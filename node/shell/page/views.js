// What can be looked at: posts and people.
import { get, part, send } from "./api.js";
import { composer, repliedTo } from "./compose.js";
import { act, button, fill, h, put, time, toast, unread } from "./dom.js";
import { face } from "./icons.js";
import { PostList } from "./list.js";
import { card, tell } from "./post.js";
import { kept, learnPeople, learnSelf, state } from "./state.js";
import { nameOf, plainName, who } from "./text.js";
import { FOLLOWING, followForm, invitation, welcome } from "./welcome.js";
import { openWhy } from "./why.js";

const title = (words) => h("h1", {}, words);

/* ---- home ----------------------------------------------------------------------------------- */

function hiddenSwitch() {
  const shown = kept.get("hidden") === "1";
  return h("label", { class: "check shown" },
    h("input", { type: "checkbox", checked: shown, onchange: (event) => { kept.set("hidden", event.target.checked ? "1" : "0"); tell("switch"); } }),
    "Show placeholders for hidden posts");
}

function emptyHome() {
  if (!state.me) return h("p", { class: "soft" }, "No posts yet. As soon as another node connects, its posts show up here.");
  if (state.people.some((one) => one.followed))
    return h("div", { class: "card" },
      h("p", {}, "Nothing has arrived yet from the people you follow."),
      h("p", { class: "soft" }, "Their posts appear by themselves as soon as a node that has them is connected. ", h("a", { href: "#/node" }, "See who is connected.")));
  return h("div", { class: "card" }, h("p", {}, "Your timeline shows the people you follow. You follow nobody yet."),
    h("p", {}, h("a", { href: "#/people" }, "Find somebody to follow"), " or write your first post above."));
}

export async function home() {
  const list = new PostList("timeline", kept.get("hidden") === "1" ? { hidden: 1 } : {}, { empty: emptyHome });
  const filled = list.more(); // asked for first: it takes longest
  await (list.after = Promise.all([learnSelf(), learnPeople()]));
  await Promise.race([filled, list.begun]);
  return {
    title: "Home", list,
    element: h("div", {}, h("h1", { class: "unseen" }, "Home"), welcome(), state.me ? h("section", { class: "card", "aria-label": "Write" }, composer({ draft: "home" })) : h("p", { class: "good" }, h("strong", {}, "This node is a relay: "), "it carries posts and has no author of its own. To post, use a node of your own."),
      hiddenSwitch(), list.element),
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
  put(element, unread(told));
  if (!told.root_here)
    put(element, h("div", { class: "post ghost" }, told.root_here === null ? "The first post of this thread cannot be read. " : "The first post of this thread is not here, or is hidden. ", button("Why?", () => openWhy(told.root), { class: "plain" })));
  let posts = told.posts;
  const list = h("div", { role: "feed", "aria-label": "Thread" });
  const below = h("div");
  let next = told.next;
  const draw = () => {
    const depth = depths(posts);
    fill(list, inOrder(posts).map((post, i, all) => card(post, { depth: depth.get(post.post), here: post.post === address, below: all[i - 1]?.post })));
    fill(below);
    if (next !== null)
      put(below, button("More replies", act(async () => {
        const page = await get("threads/" + part(address), { details: 1, limit: 300, after: next });
        if (page.problem && !told.problem) list.before(unread(page));
        posts.push(...page.posts);
        next = page.next;
        draw();
      })));
  };
  draw();
  put(element, list, below);
  const asked = posts.find((post) => post.post === address);
  if (state.me && asked && asked.text)
    put(element, h("section", { class: "card", "aria-label": "Reply" }, h("h2", {}, "Reply to the outlined post"), repliedTo(asked),
      composer({ reply: asked, label: `Your reply to ${plainName(asked.author, asked.author_name)}` })));
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

/* ---- words ---------------------------------------------------------------------------------------- */

export async function tag(word) {
  const list = new PostList("timeline", { tag: word }, { empty: () => h("p", { class: "soft" }, "No post on your node has this tag.") });
  await list.more();
  return { title: "#" + word, list, element: h("div", {}, h("h1", {}, h("bdi", {}, "#" + word)), list.element) };
}

// Whose name begins with it, or has a word that does.
function peopleCalled(words) {
  const low = words.toLocaleLowerCase();
  return state.people.filter((one) => one.name && (one.name.toLocaleLowerCase().startsWith(low) || one.name.toLocaleLowerCase().includes(" " + low))).slice(0, 5);
}

export async function search(words) {
  if (/^post1[02-9ac-hj-np-z]{20,}$/.test(words)) { location.hash = "#/post/" + words; return null; }
  if (/^parley1[02-9ac-hj-np-z]{20,}$/.test(words)) { location.hash = "#/who/" + words; return null; }
  const marks = words.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const list = new PostList("search", { q: words }, { make: (post) => card(post, { marks }), empty: () => h("div", { class: "card" },
    h("p", {}, "No post on your node has ", marks.length > 1 ? "all of these words." : "this word."),
    h("p", { class: "soft" }, "Search finds whole words, in upper or lower case: “river” does not find “rivers”. Try fewer words or another form.")) });
  const [found] = await Promise.all([learnPeople().then(() => peopleCalled(words)), list.more()]);
  return { title: "Search", list, element: h("div", {}, h("h1", {}, "Posts with ", h("bdi", { class: "said" }, words)),
    h("p", { class: "soft" }, "Only your own node is searched, newest first. Nobody learns what you search for."),
    found.length > 0 ? h("section", { class: "card" }, h("h2", {}, "People with this name"), h("ul", { class: "plain" }, found.map(personRow))) : null, list.element) };
}

/* ---- what concerns you ------------------------------------------------------------------------- */

const CONCERNS = { echo: "reposted your post", follow: "follows you" };
const A_FEW = 3; // names, then a number

function headOf(notice) {
  const { people, words } = notice;
  const shown = people.slice(0, people.length > A_FEW + 1 ? A_FEW : people.length), more = people.length - shown.length;
  const names = shown.flatMap((post, i) => [i === 0 ? "" : i === shown.length - 1 && more === 0 ? " and " : ", ", h("a", { href: "#/who/" + post.author, title: post.author }, nameOf(post.author, post.author_name))]);
  return [h("span", { class: "faces" }, shown.slice(0, A_FEW).map((post) => face(post.author, post.author_name))),
    h("span", { class: "said" }, names, more > 0 ? ` and ${more} others` : "", " ", people.length > 1 ? words.replace("follows", "follow") : words)];
}

// What several did to one post stands as one: names are added to the newest of them.
function gathering() {
  const gathered = new Map(), seen = Number(kept.get("seen-" + state.me) || 0);
  return (post) => {
    const isNew = post.received > seen;
    if (post.concerns === "reply" || post.concerns === "mention" || post.concerns === "quote") {
      const made = card(post, { me: true });
      made.classList.toggle("unread", isNew);
      return made;
    }
    const words = post.concerns === "echo" && post.text ? "quoted your post" : post.concerns === "vote" ? (post.value > 0 ? "voted your post up" : "voted your post down") : CONCERNS[post.concerns];
    const what = post.concerns === "echo" ? post.echoed : post.about, key = words + (what?.post || "");
    const before = post.text ? null : gathered.get(key);
    if (before) {
      if (!before.people.some((one) => one.author === post.author)) before.people.push(post);
      fill(before.head, headOf(before));
      return null;
    }
    const notice = { people: [post], words, head: h("span", { class: "heads" }) };
    if (!post.text) gathered.set(key, notice);
    fill(notice.head, headOf(notice));
    return h("article", { class: "post notice" + (isNew ? " unread" : ""), tabindex: 0, "data-post": post.post },
      h("div", { class: "context" }, notice.head, h("span", { class: "push" }), time(post)),
      post.text ? h("div", { class: "text", dir: "auto" }, post.text) : null,
      what?.text ? h("a", { class: "quoted soft", href: "#/post/" + what.post }, h("bdi", { class: "text", dir: "auto" }, what.text.slice(0, 200))) : null);
  };
}

export async function notices() {
  if (!state.me) return { title: "Activity", element: h("div", {}, title("Activity"), h("p", { class: "soft" }, "This node is a relay: it has no author, so nobody replies to it or follows it.")) };
  const list = new PostList("notifications", {}, {
    make: gathering(),
    empty: () => h("div", { class: "card" }, h("p", {}, "Nobody has replied to you, mentioned you or followed you yet."),
      h("p", { class: "soft" }, "Invite a friend:"), invitation()),
  });
  await list.more();
  return { title: "Activity", list, element: h("div", {}, title("Activity"), h("p", { class: "soft" }, "What was done, as it came. The figures at a post count each person's latest vote."), list.element) };
}

/* ---- people ------------------------------------------------------------------------------------- */

function personRow(one) {
  const marks = [one.followed && one.private && "followed privately", one.muted && "muted", one.blocked && "blocked"].filter(Boolean);
  return h("li", { class: "row person" }, face(one.author, one.name), h("span", { class: "grow" }, who(one.author, one.name), marks.map((mark) => h("span", { class: "tag off" }, mark))),
    h("span", { class: "push" }, one.followed || !state.me ? null : button("Follow", act(async () => {
      await send("follows", { author: one.author });
      toast("Followed.");
      tell("people");
    }))));
}

function peopleList(words, people, none, about) {
  return h("section", { class: "card" }, h("h2", {}, words), about && people.length > 0 ? h("p", { class: "soft" }, about) : null, people.length > 0 ? h("ul", { class: "plain" }, people.map(personRow)) : h("p", { class: "soft" }, none));
}

export async function people() {
  await Promise.all([learnSelf(), learnPeople()]);
  return {
    title: "People",
    element: h("div", {}, title("People"), unread(state.told), state.me ? h("section", { class: "card" }, h("h2", {}, "Follow somebody"), followForm()) : null,
      peopleList("People you follow", state.people.filter((one) => one.followed), "Nobody yet. Paste above what a friend gave you."),
      state.me ? h("section", { class: "card" }, h("h2", {}, "Invite somebody"), invitation()) : null,
      peopleList("Other people", state.people.filter((one) => !one.followed && one.known), "Nobody yet. People show up here when somebody you follow follows them or replies to them.",
        state.me && `${FOLLOWING} To follow somebody privately, open their page.`)),
  };
}

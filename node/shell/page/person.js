// One person: who they are, how you stand to them, what they said.
import { get, part, send } from "./api.js";
import { saveFile } from "./carry.js";
import { act, button, confirmWith, copyButton, h, many, put, toast, unread } from "./dom.js";
import { face } from "./icons.js";
import { PostList } from "./list.js";
import { onList, tell } from "./post.js";
import { kept, state } from "./state.js";
import { isVisible, nameOf, plainName, shortKey, textOf } from "./text.js";
import { unfollow, unlist } from "./why.js";

function relation(one) {
  if (one.self) return "This is you.";
  if (one.blocked) return one.followed ? "You follow them and block them: nothing by them arrives or is shown." : "You block them.";
  if (one.followed) return one.private ? "You follow them privately." : "You follow them.";
  if (one.wanted) return "Somebody you follow follows them.";
  return one.known ? "You do not follow them. You only get those of their posts that somebody you follow replies to or reposts." : "Nothing by them has arrived here yet.";
}

const held = (one) => one.entries === 0 ? "" : `Your node has ${many(one.entries, "entry", "entries")} by ${one.self ? "you" : "them"}: posts, votes and follows.`;

const done = (words) => { toast(words); tell("people"); };

// What else can be done, each with what it does.
function choices(one) {
  const choice = (words, work, about, attributes = {}) => h("li", {}, button(words, act(work), attributes), h("span", { class: "soft" }, about));
  const toggle = (on, list, [yes, no], about) => on
    ? choice(no, async () => { await unlist(list, { author: one.author }); done("Done."); }, about)
    : choice(yes, () => onList(list, { author: one.author }, "Done."), about);
  const called = plainName(one.author, one.name);
  return h("ul", { class: "plain choices" },
    canFollow(one) ? choice("Follow privately", async () => { await send("follows", { author: one.author, private: true }); done("Followed privately."); }, "Nobody is told, not even they.") : null,
    one.blocked && one.followed ? choice("Unfollow", async () => { await unfollow(one.author); done("Unfollowed."); }, "Your follow is public; this takes it back.") : null,
    one.self ? null : [
      toggle(one.muted, "mute", ["Mute", "Unmute"], "Hides them from your timeline and threads. Nobody is told."),
      one.blocked ? null : choice("Block", async () => {
        if (await confirmWith("Block?", `Nothing of ${called} will be taken, given on or shown here. Nobody is told. You can unblock at any time.`, "Block")) await onList("block", { author: one.author }, "Blocked.");
      }, "Receives, passes on and shows nothing by them. Nobody is told."),
      toggle(one.allowed, "allow", ["Always show", "Stop always showing"], "Nothing hides their posts here, and none are removed to make room.")],
    one.known ? choice("Save a copy", async () => { toast(await saveFile(one.author, one.name)); }, "All their posts that are here, as a file that proves they are theirs.") : null,
    one.known && !one.self ? choice("Drop all their posts here", async () => {
      if (!(await confirmWith("Drop all their posts here?", `The words of everything ${called} posted are removed from this node only. To get no more of them, unfollow or block them, too. “Always show” asks other nodes for them again.`, "Drop all"))) return;
      const { entries } = await send("purges", { author: one.author });
      done(`${many(entries, "entry", "entries")} dropped here.`);
    }, "Removes the words from this node only.", { class: "bad" }) : null);
}

const canFollow = (one) => Boolean(state.me) && !one.self && !one.blocked && !one.followed;

function mainAct(one) {
  if (one.self) return h("a", { href: "#/me", class: "button" }, "Edit your profile");
  if (one.blocked) return button("Unblock", act(async () => { await unlist("block", { author: one.author }); done("Unblocked. What you missed is being fetched."); }), { class: "strong" });
  if (!state.me) return null;
  return one.followed
    ? button("Unfollow", act(async () => { await unfollow(one.author); done("Unfollowed."); }))
    : button("Follow", act(async () => { await send("follows", { author: one.author }); done("Followed."); }), { class: "strong" });
}

function personCard(one) {
  const marks = [one.muted && "muted", one.blocked && "blocked", one.allowed && "always shown"].filter(Boolean);
  const more = h("details", { class: "extra" }, h("summary", {}, "More"), choices(one));
  return h("section", { class: "card person" },
    h("div", { class: "top" }, face(one.author, one.name),
      h("div", {}, h("h1", {}, isVisible(one.name) ? nameOf(one.author, one.name) : h("span", { class: "soft" }, "No name")),
        h("div", { class: "row" }, h("input", { type: "text", class: "line", readonly: true, value: one.author, "aria-label": "Address", onfocus: (event) => event.target.select() }),
          copyButton("Copy the address", one.author, { class: "plain" })))),
    one.about ? textOf({ text: one.about }) : null,
    marks.length > 0 ? h("p", {}, marks.map((mark) => h("span", { class: "tag off" }, mark))) : null,
    h("p", { class: "soft" }, relation(one), " ", held(one)),
    h("div", { class: "row" }, mainAct(one), canFollow(one) ? h("span", { class: "soft grow" }, "Public: others can see it. “More” has a private way.") : null), more);
}

export async function person(author) {
  const one = await get("people/" + part(author));
  const title = one.name || shortKey(one.author);
  if (one.blocked)
    return { title, element: h("div", {}, personCard(one), h("p", { class: "card soft" }, "You block them: nothing by them is shown. What arrived before you blocked them is still on your disk; “Drop all their posts here” removes it.")) };
  const list = new PostList("timeline", { author: one.author, ...(kept.get("hidden") === "1" ? { hidden: 1 } : {}) }, {
    empty: () => h("p", { class: "card soft" }, one.self ? "You have posted nothing yet." : one.followed ? "None of their posts are here yet. They appear as soon as a node that has them is connected." : "None of their posts are here."),
  });
  await list.more();
  const element = h("div", {}, unread(one), personCard(one));
  if (one.muted) put(element, h("p", { class: "soft" }, "You mute them: their posts are shown here only, and not in your timeline."));
  return { title, list, element: put(element, list.element) };
}

// One person: who they are, how you stand to them, what they said.
import { get, part, post as send } from "./api.js";
import { act, button, confirmWith, h, many, put, toast, unread } from "./dom.js";
import { face } from "./icons.js";
import { PostList } from "./list.js";
import { onList, tell } from "./post.js";
import { kept, state } from "./state.js";
import { isVisible, nameOf, plainName, shortKey, textOf } from "./text.js";
import { unfollow, unlist } from "./why.js";

function relation(one) {
  if (one.self) return "This is you.";
  if (one.blocked) return one.followed ? "You follow them, and yet nothing of theirs comes or is shown: you block them." : "You block them.";
  if (one.followed) return one.private ? "You follow them, and nobody is told." : "You follow them.";
  if (one.wanted) return "Somebody whom you follow follows them.";
  return one.known ? "You do not follow them. Of theirs comes only what somebody whom you follow answers or passes on." : "Nothing of them has come here yet.";
}

const held = (one) => one.entries === 0 ? "" : `Here ${one.entries === 1 ? "is" : "are"} ${many(one.entries, "entry", "entries")} of ${one.self ? "yours" : "theirs"}: posts, votes and follows.`;

const done = (words) => { toast(words); tell("people"); };

// What else can be done, each with what it does.
function choices(one) {
  const choice = (words, work, about, attributes = {}) => h("li", {}, button(words, act(work), attributes), h("span", { class: "soft" }, about));
  const toggle = (on, list, [yes, no], about) => on
    ? choice(no, async () => { await unlist(list, { author: one.author }); done("Done."); }, about)
    : choice(yes, () => onList(list, { author: one.author }, "Done."), about);
  const called = plainName(one.author, one.name);
  return h("ul", { class: "plain choices" },
    state.me && !one.followed && !one.self ? choice("Follow privately", async () => { await send("follows", { author: one.author, private: true }); done("You follow them, and nobody is told."); }, "Nobody is told, not even they.") : null,
    one.blocked && one.followed ? choice("Unfollow", async () => { await unfollow(one.author); done("You follow them no longer."); }, "That you follow them is said in public; this takes it back.") : null,
    one.self ? null : [
      toggle(one.muted, "mute", ["Mute", "Unmute"], "Leaves them out of your timeline and threads. Nobody is told."),
      one.blocked ? null : choice("Block", async () => {
        if (await confirmWith("Block?", `Nothing of ${called} will be taken, given on or shown here. Nobody is told. You can unblock at any time.`, "Block")) await onList("block", { author: one.author }, "Blocked.");
      }, "Takes nothing of theirs any more, gives nothing on, shows nothing. Nobody is told."),
      toggle(one.allowed, "allow", ["Always show", "Leave it to the rules"], "Nothing hides their posts here, and none go when room is short.")],
    one.known ? choice("Save as a file", async () => { const { saveFile } = await import("./carry.js"); toast(await saveFile(one.author, one.name)); }, "All of theirs that is here, with what proves that it is theirs.") : null,
    one.known && !one.self ? choice("Drop all of theirs here", async () => {
      if (!(await confirmWith("Drop all of it here?", `The words of all that ${called} said go from this node and from no other. Unfollow or block them, too, if no more is to come. “Always show” asks whoever has them for them again.`, "Drop all"))) return;
      const { entries } = await send("purges", { author: one.author });
      done(`Dropped here: ${many(entries, "entry", "entries")}.`);
    }, "The words go from this node and from no other.", { class: "bad" }) : null);
}

function mainAct(one) {
  if (one.self) return h("a", { href: "#/me", class: "button" }, "Edit your profile");
  if (one.blocked) return button("Unblock", act(async () => { await unlist("block", { author: one.author }); done("Unblocked: what was missed is asked for."); }), { class: "strong" });
  if (!state.me) return null;
  return one.followed
    ? button("Unfollow", act(async () => { await unfollow(one.author); done("You follow them no longer."); }))
    : button("Follow", act(async () => { await send("follows", { author: one.author }); done("You follow them."); }), { class: "strong" });
}

function card(one) {
  const marks = [one.muted && "muted", one.blocked && "blocked", one.allowed && "always shown"].filter(Boolean);
  const more = h("details", { class: "extra" }, h("summary", {}, "More"), choices(one));
  return h("section", { class: "card person" },
    h("div", { class: "top" }, face(one.author, one.name),
      h("div", {}, h("h1", {}, isVisible(one.name) ? nameOf(one.author, one.name) : h("span", { class: "soft" }, "Somebody without a name")),
        h("div", { class: "row" }, h("span", { class: "key", title: one.author }, shortKey(one.author)),
          button("Copy the address", act(async () => { await navigator.clipboard.writeText(one.author); toast("Copied."); }), { class: "plain" })))),
    one.about ? textOf({ text: one.about }) : null,
    marks.length > 0 ? h("p", {}, marks.map((mark) => h("span", { class: "tag off" }, mark))) : null,
    h("p", { class: "soft" }, relation(one), " ", held(one)),
    h("div", { class: "row" }, mainAct(one)), more);
}

export async function person(author) {
  const one = await get("people/" + part(author));
  const title = one.name || shortKey(one.author);
  if (one.blocked)
    return { title, element: h("div", {}, card(one), h("p", { class: "card soft" }, "You block them: nothing of theirs is shown. What came before you blocked them still lies on your disk; “Drop all of theirs here” takes it away.")) };
  const list = new PostList("timeline", { author: one.author, ...(kept.get("hidden") === "1" ? { hidden: 1 } : {}) }, {
    empty: () => h("p", { class: "card soft" }, one.self ? "You have posted nothing yet." : one.followed ? "None of their posts are here yet. They come from whichever node has them." : "None of their posts are here."),
  });
  await list.more();
  const element = h("div", {}, unread(one), card(one));
  if (one.muted) put(element, h("p", { class: "soft" }, "You mute them: what follows stands here alone, and not in your timeline."));
  return { title, list, element: put(element, list.element) };
}

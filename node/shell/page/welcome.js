// The first steps, and what others need to find you.
import { send } from "./api.js";
import { act, button, copyButton, h, toast } from "./dom.js";
import { acceptInvite, inviteIn, inviteMaker } from "./invite.js";
import { tell } from "./post.js";
import { kept, learnSelf, state } from "./state.js";

const LOOPBACK = /@(127\.|\[::1\]|localhost)/;
const EVERYWHERE = /@(0\.0\.0\.0|\[::\]):/;

// Where others reach this node, as far as it can know: KEY@HOST:PORT.
export const reachable = () => (state.status.listen || []).filter((place) => place.includes("@") && !LOOPBACK.test(place) && !EVERYWHERE.test(place));
const listensEverywhere = () => (state.status.listen || []).find((place) => EVERYWHERE.test(place));

const copyable = (words) => h("div", {}, h("input", { type: "text", class: "line", readonly: true, value: words, "aria-label": "Your address", onfocus: (event) => event.target.select() }),
  copyButton("Copy", words));

// Who can connect to this node. What a node says of itself is for its log; here it is in plain words.
export function reachWords(status) {
  const words = status.reachable_words, place = status.nat?.state === "mapped" ? ` Your router listens for it at ${status.nat.place}.` : "";
  if (status.reachable === "yes") return "Other nodes can connect to yours, also from outside your network." + place;
  if (status.reachable === "lan") return "Nodes in your local network can connect to yours. Nobody has connected from outside yet." + place;
  if (status.reachable === "unknown") return `It is not known yet whether nodes from outside can connect to yours: ${words}.` + place;
  if (words.includes("router")) return "Nodes in your local network can connect to yours. From outside they cannot: your router is behind another router.";
  return "Other nodes on this machine can connect to yours; nodes on other machines cannot. Yours can connect to them, and that is enough to read and be read.";
}

// What is chosen holds at once, and after a restart.
export function reachForm() {
  const box = (isOn) => h("input", { type: "checkbox", checked: isOn });
  const lan = box(state.status.lan), nat = box(state.status.nat !== null);
  return h("form", {
    onsubmit: act(async () => {
      await send("reach", { lan: lan.checked, nat: nat.checked });
      await learnSelf();
      toast("Saved.");
      tell("reach");
    }),
  },
  h("label", { class: "check" }, lan, "Let nodes in this local network find mine and connect"),
  h("label", { class: "check" }, nat, "Ask my router to let nodes from outside connect"),
  h("p", { class: "soft" }, "Anybody in your network can then see that parley runs here, but not who you are. With neither, your node only connects to others: that is enough to read and be read."),
  h("button", { type: "submit" }, "Save"));
}

export const REACH_TITLE = "How others reach your node";

// Where friends cannot come to this node, that is what is to be chosen first.
export const invitation = () => h("div", {}, inviteMaker(),
  h("details", { class: "extra", open: reachable().length === 0 && !listensEverywhere() }, h("summary", {}, REACH_TITLE), h("p", { class: "soft" }, reachWords(state.status)), reachForm()),
  h("details", { class: "extra" }, h("summary", {}, "Without an invite: your address"), byHand()));

function byHand() {
  const places = reachable(), wide = listensEverywhere();
  const address = places[0] || (wide && wide.replace(EVERYWHERE, "@YOUR-ADDRESS:"));
  if (!address)
    return h("div", {}, copyable(state.me),
      h("p", { class: "soft" }, `Anybody who has it can follow you. Your node accepts no connections from other machines yet. You can connect to a friend's node or to a relay, or change that under “${REACH_TITLE}”.`));
  return h("div", {}, copyable(`${state.me} ${address}`),
    h("p", { class: "soft" }, places[0]
      ? "Who you are and where your node is. Give it to a friend to paste under “Follow somebody”."
      : "Who you are and where your node is. Replace YOUR-ADDRESS: for friends in your home, with the address of this machine; for others, with that of your router, which must forward the port."));
}

// What a friend gave: a name, and an address if they gave one, however much stands around them.
function readInvitation(words) {
  const author = /parley1[02-9ac-hj-np-z]+/i.exec(words);
  const address = /pnode1[02-9ac-hj-np-z]+@\S+/i.exec(words);
  return { author: author && author[0], address: address && address[0].replace(/[.,;)>"']+$/, "") };
}

export const FOLLOWING = "Whom you follow is public, unless you follow them privately.";

export function followForm() {
  const words = h("textarea", { rows: 2, placeholder: "Paste an invite, or an address: parley1…", "aria-label": "What a friend gave you", spellcheck: "false" });
  const secret = h("input", { type: "checkbox" });
  return h("form", {
    onsubmit: act(async () => {
      const found = readInvitation(words.value), invite = inviteIn(words.value);
      if (invite) {
        await acceptInvite(invite, secret.checked);
      } else if (!found.author && found.address) {
        await send("peers", { address: found.address });
        toast("Connecting.");
      } else if (found.author) {
        await send("follows", { author: found.author, private: secret.checked, ...(found.address ? { address: found.address } : {}) });
        toast("Followed. Their posts appear as they arrive.");
      } else {
        toast("That is no invite and no address: an invite starts with pinvite1, an address with parley1.", true);
        return;
      }
      words.value = "";
      tell("people");
    }),
  }, words, h("div", { class: "row" }, h("label", { class: "check" }, secret, "Follow privately: nobody is told"), h("span", { class: "push" }), h("button", { type: "submit", class: "strong" }, "Follow")),
  h("p", { class: "soft" }, FOLLOWING));
}

export function nameForm(onsaved) {
  const name = h("input", { type: "text", maxlength: 60, dir: "auto", required: true, placeholder: "How others see you", value: state.person?.name || "" });
  const about = h("textarea", { rows: 2, dir: "auto", maxlength: 2000, placeholder: "A few words about yourself, if you like" });
  about.value = state.person?.about || "";
  return h("form", {
    onsubmit: act(async () => {
      await send("profile", { name: name.value, about: about.value });
      toast("Saved. Your profile is public.");
      onsaved?.();
      tell("people");
    }),
  }, h("label", {}, "Name", name), h("label", {}, "About", about), h("button", { type: "submit", class: "strong" }, "Save"));
}

// [isDone, words, more]: the first that is to do is open.
function oneStep([isDone, words, ...more], isOpen) {
  const name = [h("strong", {}, words), h("span", { class: "unseen" }, isDone ? " (done)" : " (to do)")];
  return h("li", { class: isDone ? "done" : "" }, isDone ? [h("span", { class: "tick", "aria-hidden": "true" }, "✓"), h("span", {}, name)] : h("details", { open: isOpen }, h("summary", {}, name), more));
}

function steps(all) {
  // With a name and somebody to follow there is something to read: what is left opens by a click.
  const first = all[0][0] && all[1][0] ? -1 : all.findIndex(([isDone]) => !isDone);
  return h("ol", { class: "plain steps" }, all.map((one, at) => oneStep(one, at === first)));
}

export function welcome() {
  if (!state.me || kept.get("welcomed") === state.me) return null;
  const hasName = Boolean(state.person?.name), follows = state.people.some((one) => one.followed);
  const hasWords = kept.get("words") === state.me;
  const card = h("section", { class: "card", "aria-label": "First steps" },
    h("h2", {}, "Your node is running. A few first steps"),
    steps([
      [hasName, "A name", nameForm()],
      [follows, "Somebody to follow", h("p", { class: "soft" }, "Paste what a friend or a relay gave you. There is no directory of everybody."), followForm()],
      [reachable().length > 0, REACH_TITLE, h("p", { class: "soft" }, reachWords(state.status)), reachForm(), h("p", { class: "soft" }, "To invite a friend, go to ", h("a", { href: "#/people" }, "People"), ".")],
      [hasWords, "Your twelve recovery words", h("p", { class: "soft" }, "They were shown once, in the terminal, when your identity was made. They are stored nowhere, so this page cannot show them. Anybody who has them can act as you, and without them you cannot replace a lost machine: keep them on paper. If you did not write them down and have posted nothing yet, make a new identity before you go on."),
        button("I have them on paper", () => { kept.set("words", state.me); tell("welcome"); })]]),
    h("div", { class: "row" }, h("span", { class: "push" }), button("Hide these steps", () => { kept.set("welcomed", state.me); card.remove(); })));
  return card;
}

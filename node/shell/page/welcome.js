// The first steps, and what others need to find you.
import { post as send } from "./api.js";
import { act, button, h, toast } from "./dom.js";
import { acceptInvite, inviteIn, inviteMaker } from "./invite.js";
import { tell } from "./post.js";
import { kept, learnSelf, state } from "./state.js";

const LOOPBACK = /@(127\.|\[::1\]|localhost)/;
const EVERYWHERE = /@(0\.0\.0\.0|\[::\]):/;

// Where others reach this node, as far as it can know: KEY@HOST:PORT.
export const reachable = () => (state.status.listen || []).filter((place) => place.includes("@") && !LOOPBACK.test(place) && !EVERYWHERE.test(place));
const listensEverywhere = () => (state.status.listen || []).find((place) => EVERYWHERE.test(place));

const copyable = (words) => h("div", {}, h("p", {}, h("code", {}, words)),
  button("Copy", act(async () => { await navigator.clipboard.writeText(words); toast("Copied."); })));

// How others find this node: what is chosen holds at once, and after a restart.
export function reachForm() {
  const box = (isOn) => h("input", { type: "checkbox", checked: isOn });
  const lan = box(state.status.lan), nat = box(state.status.nat !== null);
  return h("form", {
    onsubmit: act(async () => {
      const now = await send("reach", { lan: lan.checked, nat: nat.checked });
      await learnSelf();
      toast(`It is so from now on: ${now.reachable_words}.`);
      tell("reach");
    }),
  },
  h("label", { class: "check" }, lan, "Nodes in this local network find mine, and connect by themselves"),
  h("label", { class: "check" }, nat, "Ask the router to let nodes from outside come in"),
  h("p", { class: "soft" }, "Whoever shares the network can see that parley runs here, not who you are. Without either your node only connects to others, which is enough to read and be read."),
  h("button", { type: "submit" }, "Keep it so"));
}

// Where friends cannot come to this node, that is what is to be chosen first.
export const invitation = () => h("div", {}, inviteMaker(),
  h("details", { class: "extra", open: reachable().length === 0 && !listensEverywhere() }, h("summary", {}, "How friends' nodes reach yours"), reachForm()),
  h("details", { class: "extra" }, h("summary", {}, "Without an invite: your address"), byHand()));

function byHand() {
  const places = reachable(), wide = listensEverywhere();
  const address = places[0] || (wide && wide.replace(EVERYWHERE, "@YOUR-ADDRESS:"));
  if (!address)
    return h("div", {}, copyable(state.me),
      h("p", { class: "soft" }, "Whoever has it can follow you. Your node listens to this machine only: friends cannot connect to it, but you can connect to theirs or to a relay, and that is enough to read and be read. To let friends connect, choose one of the two above."));
  return h("div", {}, copyable(`${state.me} ${address}`),
    h("p", { class: "soft" }, places[0]
      ? "Your name, and where your node is reached. Give it to a friend: it goes into “Follow somebody” as it is."
      : "Your name and your node. Put your address on the network in place of YOUR-ADDRESS: inside your home that of this machine, outside that of your router, which must pass the port on."));
}

// What a friend gave: a name, and an address if they gave one, however much stands around them.
function readInvitation(words) {
  const author = /parley1[02-9ac-hj-np-z]+/i.exec(words);
  const address = /pnode1[02-9ac-hj-np-z]+@\S+/i.exec(words);
  return { author: author && author[0], address: address && address[0].replace(/[.,;)>"']+$/, "") };
}

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
        toast("You follow them. Their posts come as soon as a node has them.");
      } else {
        toast("There is no invite and no parley1… in it: that is how people are called here.");
        return;
      }
      words.value = "";
      tell("people");
    }),
  }, words, h("div", { class: "row" }, h("label", { class: "check" }, secret, "Tell nobody that I follow them"), h("span", { class: "push" }), h("button", { type: "submit", class: "strong" }, "Follow")));
}

export function nameForm(onsaved) {
  const name = h("input", { type: "text", maxlength: 60, dir: "auto", required: true, placeholder: "How others see you", value: state.person?.name || "" });
  const about = h("textarea", { rows: 2, dir: "auto", maxlength: 2000, placeholder: "Some words on yourself, if you like" });
  about.value = state.person?.about || "";
  return h("form", {
    onsubmit: act(async () => {
      await send("profile", { name: name.value, about: about.value });
      toast("Saved. It is public.");
      onsaved?.();
      tell("people");
    }),
  }, h("label", {}, "Name", name), h("label", {}, "About", about), h("button", { type: "submit", class: "strong" }, "Save"));
}

// [isDone, words, more]: the first that is to do is open.
function step([isDone, words, ...more], isOpen) {
  const name = [h("strong", {}, words), h("span", { class: "unseen" }, isDone ? " (done)" : " (to do)")];
  return h("li", { class: isDone ? "done" : "" }, h("span", { class: "tick", "aria-hidden": "true" }, isDone ? "✓" : "○"),
    isDone ? h("div", {}, name) : h("details", { open: isOpen }, h("summary", {}, name), more));
}

function steps(all) {
  // With a name and somebody to follow there is something to read: what is left opens by a click.
  const first = all[0][0] && all[1][0] ? -1 : all.findIndex(([isDone]) => !isDone);
  return h("ol", { class: "plain steps" }, all.map((one, at) => step(one, at === first)));
}

export function welcome() {
  if (!state.me || kept.get("welcomed") === state.me) return null;
  const hasName = Boolean(state.person?.name), follows = state.people.some((one) => one.followed);
  const hasWords = kept.get("words") === state.me;
  const card = h("section", { class: "card", "aria-label": "First steps" },
    h("h2", {}, "Your node runs. A few first steps"),
    steps([
      [hasName, "A name", nameForm()],
      [follows, "Somebody to follow", h("p", { class: "soft" }, "Paste what a friend or a relay gave you. There is no list of everybody: nobody keeps one."), followForm()],
      [reachable().length > 0, "How friends find you", invitation()],
      [hasWords, "Your twelve words", h("p", { class: "soft" }, "They were shown in the terminal once, when your identity was made, and are kept nowhere, so this page cannot show them either. Whoever has them is you; without them a lost machine cannot be replaced. Keep them on paper. If you have not written them down and have said nothing yet, make a new identity rather than go on."),
        button("I have them on paper", () => { kept.set("words", state.me); tell("welcome"); })]]),
    h("div", { class: "row" }, h("span", { class: "push" }), button(hasName && follows ? "Done" : "Not now", () => { kept.set("welcomed", state.me); card.remove(); }, { class: hasName && follows ? "" : "plain" })));
  return card;
}

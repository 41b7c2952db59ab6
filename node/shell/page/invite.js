// Invites: one text, or one code for a camera, by which two people follow each other.
import { send } from "./api.js";
import { act, button, copyButton, fill, h, toast } from "./dom.js";
import { SVG } from "./icons.js";

const QUIET = 4; // modules of light around the code, without which cameras miss it
const INVITE = /pinvite1[A-Za-z0-9_-]+/;

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

// Dark on light in both themes: that is what cameras read.
function code(rows) {
  const size = rows.length + 2 * QUIET;
  let path = "";
  rows.forEach((row, y) => {
    for (const run of row.matchAll(/1+/g)) path += `M${run.index + QUIET} ${y + QUIET}h${run[0].length}v1h-${run[0].length}z`;
  });
  return svg("svg", { viewBox: `0 0 ${size} ${size}`, width: 240, height: 240, role: "img", "aria-label": "The invite as a code for a camera", "shape-rendering": "crispEdges" },
    svg("rect", { width: size, height: size, fill: "#fff" }), svg("path", { d: path, fill: "#000" }));
}

function shown(made) {
  const until = new Date(made.expires).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
  const isHere = made.places.every((place) => /^(127\.|\[::1\])/.test(place));
  return [
    isHere ? h("p", { class: "warn apart" }, h("strong", {}, "This invite works on this machine only. "), "Nodes on other machines cannot connect to yours yet. To change that, see “How others reach your node” below, then make another invite.") : null,
    h("p", { class: "apart" }, h("code", {}, made.invite)),
    copyButton("Copy the invite", made.invite, isHere ? {} : { class: "strong" }),
    made.qr ? h("p", { class: "apart" }, code(made.qr)) : null,
    h("p", { class: "soft" }, `It works once, until ${until}. Give it to one person: they paste it under People, or type parley accept. Then you follow each other and your nodes are connected.`),
  ];
}

export function inviteMaker() {
  const box = h("div", { "aria-live": "polite", class: "invite" });
  return h("div", {}, h("p", { class: "soft" }, "An invite is a text, or a code for a camera, for one friend. Once they use it, you follow each other."), button("Invite somebody", act(async () => { fill(box, shown(await send("invites", {}))); })), box);
}

// An invite in what was pasted, or null.
export function inviteIn(words) {
  const found = INVITE.exec(words);
  return found && found[0];
}

export async function acceptInvite(invite, isPrivate) {
  toast("Asking their node…");
  await send("acceptances", { invite, private: isPrivate });
  toast("You follow each other, and your nodes are connected.");
}

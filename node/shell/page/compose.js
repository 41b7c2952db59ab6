// Writing: a post, an answer, a quote.
import { send } from "./api.js";
import { act, button, dialog, fill, h, many, say, toast } from "./dom.js";
import { kept, learnPeople, state } from "./state.js";
import { nameOf, plainName, shortKey, tagsIn, textOf } from "./text.js";
import { tell } from "./post.js";

// All of a post may take 65,536 bytes; its references and tags take some of it.
const BYTES_MAX = 60000;
const MENTIONS_MAX = 32;

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const countLetters = (text) => (text.length > 20000 ? text.length : [...letters.segment(text)].length);
const countBytes = (text) => new TextEncoder().encode(text).length;

// Spaces in a name would end the mention.
const called = (name) => name.replace(/\s+/gu, "_");

function mentionsIn(text, chosen) {
  const found = new Set();
  for (const [author, name] of chosen) if (text.includes("@" + called(name))) found.add(author);
  for (const [, author] of text.matchAll(/@(parley1[02-9ac-hj-np-z]{50,})/g)) found.add(author);
  return [...found].slice(0, MENTIONS_MAX);
}

// @ and the beginning of a name, right before the caret.
function beginning(area) {
  const found = /(?:^|\s)@([^\s@#]{0,40})$/u.exec(area.value.slice(0, area.selectionStart));
  return found ? found[1] : null;
}

function matching(start) {
  const low = start.toLocaleLowerCase();
  return state.people.filter((one) => one.name && called(one.name).toLocaleLowerCase().startsWith(low)).slice(0, 6);
}

function takeMention(area, chosen, person) {
  const start = beginning(area), at = area.selectionStart;
  const word = called(person.name) + " ";
  chosen.set(person.author, person.name);
  area.setRangeText(word, at - start.length, at, "end");
  area.dispatchEvent(new Event("input"));
  area.focus();
}

// A form; onsent is called when the post is out. draft: under what it is kept until then.
export function composer({ reply, quote, draft, onsent, label = "What do you want to say?" }) {
  const chosen = new Map();
  const area = h("textarea", { rows: 3, dir: "auto", "aria-label": label, placeholder: label, name: "text" });
  const count = h("span", { class: "count", "aria-live": "off" });
  const suggest = h("div", { class: "suggest", hidden: true, role: "group", "aria-label": "Whom do you mean?" });
  const warning = h("input", { type: "text", maxlength: 120, dir: "auto", placeholder: "What readers should know first", "aria-label": "Warning before the post" });
  const warn = h("div", { hidden: true }, warning);
  const go = h("button", { type: "submit", class: "strong", disabled: true }, reply ? "Reply" : "Post");
  const update = () => {
    const size = countBytes(area.value);
    const tooLong = size > BYTES_MAX;
    go.disabled = area.value.trim() === "" || tooLong;
    count.textContent = tooLong ? `too long by ${size - BYTES_MAX} bytes` : area.value === "" ? "" : many(countLetters(area.value), "character");
    count.classList.toggle("fault", tooLong);
    if (draft) kept.set("draft-" + draft, area.value);
    const start = beginning(area), people = start === null ? [] : matching(start);
    suggest.hidden = people.length === 0;
    fill(suggest, people.map((person) => button(["@", nameOf(person.author, person.name), " ", h("span", { class: "key" }, shortKey(person.author))], () => takeMention(area, chosen, person))));
  };
  area.addEventListener("input", update);
  area.addEventListener("focus", () => state.people.length === 0 && learnPeople().catch(() => {}), { once: true });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
    if (event.key === "Tab" && !event.shiftKey && !suggest.hidden) { event.preventDefault(); suggest.querySelector("button").click(); }
  });
  const submit = act(async () => {
    const text = area.value;
    if (go.disabled || text.trim() === "") return;
    go.disabled = true;
    try {
      const done = await send("posts", {
        text, tags: tagsIn(text), mentions: mentionsIn(text, chosen),
        ...(reply ? { reply: reply.post } : {}), ...(quote ? { quote: quote.post } : {}),
        ...(warning.value ? { warning: warning.value } : {}),
      });
      area.value = warning.value = "";
      warn.hidden = true;
      if (draft) kept.set("draft-" + draft, "");
      say("Posted");
      toast("Posted.");
      onsent?.(done);
      tell("post");
    } finally {
      update();
    }
  });
  const form = h("form", { class: "compose", onsubmit: submit }, area, suggest, warn,
    h("div", { class: "row" },
      button("Add a warning", () => { warn.hidden = !warn.hidden; if (warn.hidden) warning.value = ""; else warning.focus(); }, { class: "plain" }),
      h("span", { class: "push" }), count, go),
    h("p", { class: "soft" }, "Public, signed and permanent."));
  area.value = (draft && kept.get("draft-" + draft)) || "";
  update();
  return form;
}

export function repliedTo(other) {
  return h("blockquote", { class: "quoted" }, nameOf(other.author, other.author_name), textOf({ ...other, text: (other.text || "").slice(0, 600) }));
}

// In a box of its own, from anywhere.
export function compose({ reply, quote } = {}) {
  if (!state.me || document.querySelector("dialog[open]")) return;
  const other = reply || quote;
  const title = reply ? `Reply to ${plainName(reply.author, reply.author_name)}` : quote ? "Quote" : "Write";
  const form = composer({ reply, quote, draft: other ? null : "home", onsent: () => box.close(), label: reply ? "Your reply" : "What do you want to say?" });
  const box = dialog(title, null, other ? repliedTo(other) : null, form,
    h("div", { class: "row" }, h("span", { class: "soft" }, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter"), " sends."), h("span", { class: "push" }, button("Cancel", () => box.close(), { class: "plain" }))));
  form.querySelector("textarea").focus();
}

// Making elements. Whatever comes from the network goes through text nodes and nothing else: there
// is no way here to make markup of text.

export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  put(element, ...children);
  return element;
}

export function put(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

// What of an answer could not be read; nothing where all could.
export const unread = (told) => (told.problem ? h("p", { class: "fault", role: "alert" }, told.problem.detail) : null);

export function fill(element, ...children) {
  element.replaceChildren();
  return put(element, ...children);
}

// A page that is not seen has no frames.
export const nextFrame = () => new Promise((done) => (document.visibilityState === "visible" ? requestAnimationFrame(done) : setTimeout(done)));
export const pause = (ms = 0) => new Promise((done) => setTimeout(done, ms));

export const $ = (id) => document.getElementById(id);

const TOAST_MS = 4000, A_LETTER_MS = 60; // as long as it takes to read
let toastTimer;
export function toast(words, isBad = false) {
  const box = $("toast");
  box.classList.toggle("bad", isBad);
  box.firstElementChild.textContent = words;
  box.querySelector("button").onclick = endToast;
  // Above whatever dialog is open.
  if (box.showPopover) {
    if (box.matches(":popover-open")) box.hidePopover();
    box.showPopover();
  }
  clearTimeout(toastTimer);
  toastTimer = setTimeout(endToast, Math.max(TOAST_MS, words.length * A_LETTER_MS));
}

// It belongs to the place where it came up.
export function endToast() {
  const box = $("toast");
  clearTimeout(toastTimer);
  box.firstElementChild.textContent = "";
  if (box.hidePopover && box.matches(":popover-open")) box.hidePopover();
}

// What a screen reader says beside what is seen.
export const say = (words) => ($("live").textContent = words);

// Runs what a button starts: the button waits meanwhile, and what fails is said.
export function act(work) {
  return async (event) => {
    event?.preventDefault();
    const button = event?.currentTarget?.tagName === "FORM" ? event.currentTarget.querySelector("button") : event?.currentTarget;
    if (button) button.disabled = true;
    // What takes longer than a second is seen to go on, and heard.
    const slow = setTimeout(() => { button?.setAttribute("aria-busy", "true"); say("Still working…"); document.dispatchEvent(new Event("slow")); }, 1000);
    try {
      return await work(event);
    } catch (error) {
      toast(error.message, true);
      return undefined;
    } finally {
      clearTimeout(slow);
      button?.removeAttribute("aria-busy");
      if (button) button.disabled = false;
    }
  };
}

export const button = (words, onclick, attributes = {}) => h("button", { type: "button", ...attributes, onclick }, words);

// Says itself that it did: a message elsewhere would cover what is to be copied.
export function copyButton(words, text, attributes = {}) {
  const made = button(words, act(async () => {
    await navigator.clipboard.writeText(text);
    made.textContent = "Copied";
    say("Copied.");
    setTimeout(() => (made.textContent = words), 2000);
  }), attributes);
  return made;
}

// Whatever asks before it does.
export function confirmWith(title, words, yes, attributes = {}) {
  return new Promise((done) => {
    const box = dialog(title, () => done(false),
      h("p", {}, words),
      h("div", { class: "ends" },
        button("Cancel", () => box.close()),
        button(yes, () => { done(true); box.close(); }, { class: "strong", ...attributes })));
  });
}

export function dialog(title, onclose, ...children) {
  const name = "dialog-" + Math.random().toString(36).slice(2);
  const box = h("dialog", { "aria-labelledby": name }, h("h2", { id: name }, title), ...children);
  box.addEventListener("close", () => { box.remove(); onclose?.(); });
  document.body.append(box);
  box.showModal();
  return box;
}

const UNITS = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [604800, "day", 86400]];
const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });

export function timeWords(ms) {
  const seconds = (Date.now() - ms) / 1000;
  if (seconds < 10 && seconds > -60) return "now";
  for (const [below, unit, size] of UNITS)
    if (Math.abs(seconds) < below) return ago.format(-Math.floor(seconds / size), unit);
  return new Date(ms).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });
}

export const timeOf = (ms) => h("time", { class: "when", datetime: new Date(ms).toISOString(), title: new Date(ms).toLocaleString() }, timeWords(ms));

// When it was written, or when it came here if that is earlier: as the node orders it.
export function time(post) {
  return timeOf(Math.min(post.time, post.received || post.time));
}

export function refreshTimes(root) {
  for (const element of root.querySelectorAll("time")) {
    const words = timeWords(Date.parse(element.dateTime));
    if (words !== element.textContent) element.textContent = words;
  }
}

export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (count >= 1000 && at < units.length - 1) { count /= 1000; at++; }
  return `${at === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${units[at]}`;
}

export function duration(ms) {
  const minutes = Math.floor(ms / 60000);
  if (minutes < 2) return "a minute";
  if (minutes < 120) return `${minutes} minutes`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} hours` : `${Math.floor(minutes / 1440)} days`;
}

// 1,234; few numbers are that large, and to ask for one costs as much as to make the rest of a button.
export const grouped = (number) => (number < 1000 ? String(number) : number.toLocaleString("en"));
export const many = (count, one, several = one + "s") => `${grouped(count)} ${count === 1 ? one : several}`;

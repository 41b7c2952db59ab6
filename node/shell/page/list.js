// A list of posts that goes on as it is scrolled, newest first.
import { get } from "./api.js";
import { button, fill, h, many, nextFrame, put, say, unread } from "./dom.js";
import { card } from "./post.js";

const A_SCREEN = 6, A_FRAME = 4; // cards
// Posts stand in groups. From so many on, what is far from what is seen is taken out of the page and
// leaves its height, so that a list of thousands is no slower than one of hundreds.
const A_GROUP = 20, WHOLE_MAX = 300;
function onGroups(changes, isLarge) {
  for (const { target, isIntersecting, boundingClientRect } of changes) {
    if (isIntersecting) bringBack(target);
    else if (isLarge && !target.kept && boundingClientRect.height > 0 && !target.contains(document.activeElement)) {
      target.style.height = boundingClientRect.height + "px";
      target.kept = document.createDocumentFragment();
      target.kept.append(...target.children);
    }
  }
}

function bringBack(group) {
  if (!group?.kept) return;
  group.append(group.kept);
  group.kept = null;
  group.style.height = "";
}

export class PostList {
  // make(post) gives what stands for one; empty() what stands there when there is nothing.
  constructor(path, parameters, { make = card, empty, limit = 30 } = {}) {
    this.path = path;
    this.parameters = { details: 1, limit, ...parameters };
    this.make = make;
    this.empty = empty;
    this.after = null; // what the cards need to know, being asked for
    this.next = undefined;
    this.seen = new Set();
    this.posts = h("div");
    this.end = h("div", { class: "row" });
    this.newer = button("", () => this.showNewer(true), { id: "newer", class: "strong", hidden: true });
    this.lack = h("div"); // that some of it cannot be read
    this.element = h("div", {}, this.lack, this.newer, this.posts, this.end);
    this.groups = new IntersectionObserver((changes) => onGroups(changes, this.seen.size > WHOLE_MAX), { rootMargin: "3000px" });
    this.watch = new IntersectionObserver((found) => found.some((one) => one.isIntersecting) && this.more(), { rootMargin: "2000px" });
    this.waiting = [];
    this.begun = new Promise((done) => (this.begin = done)); // the first screen is there
    this.round = 0; // another whenever the list began anew
  }

  async more() {
    if (this.isBusy || this.next === null) return;
    this.isBusy = true;
    const round = this.round;
    this.watch.disconnect();
    fill(this.end, h("span", { class: "soft" }, "Reading…"));
    try {
      const page = await get(this.path, { ...this.parameters, before: this.next });
      await this.after;
      if (round !== this.round) return;
      await this.addAll(page.posts, round);
      if (round !== this.round) return;
      this.next = page.next;
      this.isLacking ||= page.problem !== null;
      if (page.problem) fill(this.lack, unread(page));
      this.finish();
    } catch (error) {
      fill(this.end, h("p", { class: "fault" }, error.message), button("Try again", () => this.more()));
    } finally {
      this.isBusy = false;
      if (round !== this.round) this.finish();
    }
  }

  // A screen of them at once, and then a few a frame: scrolling goes on meanwhile.
  async addAll(posts, round) {
    const isFirst = this.seen.size === 0;
    const first = isFirst ? A_SCREEN : A_FRAME;
    for (const [at, post] of posts.entries()) {
      if (at >= first && (at - first) % A_FRAME === 0) {
        this.begin();
        await nextFrame();
      }
      if (round !== this.round) return;
      this.add(post);
    }
  }

  add(post) {
    if (this.seen.has(post.post)) return;
    this.seen.add(post.post);
    const made = this.make(post); // nothing: it stands with another
    if (made) this.append(made);
  }

  append(made) {
    if (!this.posts.hasAttribute("role")) { // a feed has posts, or is none
      this.posts.setAttribute("role", "feed");
      this.posts.setAttribute("aria-label", "Posts");
    }
    if (!this.group || this.group.kept || this.group.children.length >= A_GROUP) {
      this.group = h("div");
      this.posts.append(this.group);
      this.groups.observe(this.group);
    }
    this.group.append(made);
  }

  // What came stands in the first group, until it is as large as two.
  partFirst() {
    const first = this.posts.firstElementChild;
    if (!first || first === this.group || first.children.length < 2 * A_GROUP) return;
    const group = h("div", {}, [...first.children].slice(0, -A_GROUP));
    this.posts.prepend(group);
    this.groups.observe(group);
  }

  finish() {
    fill(this.end);
    if (this.next !== null) {
      put(this.end, button("Older posts", () => this.more()));
      this.watch.observe(this.end);
    } else if (this.seen.size === 0 && this.empty && !this.isLacking) {
      put(this.end, this.empty());
    } else if (this.seen.size > 0) {
      put(this.end, h("p", { class: "soft" }, this.isLacking ? "That is everything that can be read." : "That is everything."));
    }
  }

  // What came since: shown at once where the list's top is seen, or if it is the owner's own; else
  // behind a button, so that what is being read stays where it is.
  async refresh({ atOnce = false } = {}) {
    const page = await get(this.path, this.parameters);
    const fresh = page.posts.filter((post) => !this.seen.has(post.post));
    if (fresh.length === 0) return;
    if (this.seen.size === 0) fill(this.end);
    this.waiting = fresh;
    this.page = page;
    say(many(fresh.length, "new post"));
    if (atOnce || this.posts.getBoundingClientRect().top > -50) this.showNewer();
    else {
      this.newer.textContent = fresh.length < this.parameters.limit ? many(fresh.length, "new post") : "Many new posts";
      this.newer.hidden = false;
    }
  }

  showNewer(isJump = false) {
    this.newer.hidden = true;
    if (this.waiting.length >= this.parameters.limit && this.seen.size > 0) this.startOver();
    bringBack(this.posts.firstElementChild);
    // In the order of the node: each ahead of the one that it stands before there.
    const order = this.page.posts.map((post) => post.post);
    for (const post of this.waiting) {
      if (this.seen.has(post.post)) continue;
      this.seen.add(post.post);
      const made = this.make(post);
      if (!made) continue;
      made.classList.add("fresh");
      const after = order.slice(order.indexOf(post.post) + 1);
      const next = after.map((address) => this.find(address)).find(Boolean) || null;
      if (next) next.before(made);
      else this.append(made);
    }
    this.partFirst();
    this.waiting = [];
    if (isJump) this.element.scrollIntoView();
  }

  // More came than a page holds: what lies between would be missing.
  startOver() {
    this.round++;
    this.groups.disconnect();
    this.posts.replaceChildren();
    this.group = null;
    this.seen.clear();
    this.next = this.page.next;
    this.finish();
  }

  find(address) {
    return this.posts.querySelector(`[data-post="${CSS.escape(address)}"]`);
  }
}

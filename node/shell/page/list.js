// A list of posts that goes on as it is scrolled, newest first.
import { get } from "./api.js";
import { button, fill, h, many, put, say } from "./dom.js";
import { card } from "./post.js";

export class PostList {
  // make(post) gives what stands for one; empty() what stands there when there is nothing.
  constructor(path, parameters, { make = card, empty, limit = 30 } = {}) {
    this.path = path;
    this.parameters = { details: 1, limit, ...parameters };
    this.make = make;
    this.empty = empty;
    this.next = undefined;
    this.seen = new Set();
    this.posts = h("div", { role: "feed", "aria-label": "Posts" });
    this.end = h("div", { class: "row" });
    this.newer = button("", () => this.showNewer(true), { id: "newer", class: "strong", hidden: true });
    this.element = h("div", {}, this.newer, this.posts, this.end);
    this.watch = new IntersectionObserver((found) => found.some((one) => one.isIntersecting) && this.more(), { rootMargin: "600px" });
    this.waiting = [];
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
      if (round !== this.round) return;
      this.next = page.next;
      for (const post of page.posts) this.add(post);
      this.finish();
    } catch (error) {
      fill(this.end, h("p", { class: "fault" }, error.message), button("Try again", () => this.more()));
    } finally {
      this.isBusy = false;
      if (round !== this.round) this.finish();
    }
  }

  add(post) {
    if (this.seen.has(post.post)) return;
    this.seen.add(post.post);
    this.posts.append(this.make(post));
  }

  finish() {
    fill(this.end);
    if (this.next !== null) {
      put(this.end, button("Older ones", () => this.more()));
      this.watch.observe(this.end);
    } else if (this.seen.size === 0 && this.empty) {
      put(this.end, this.empty());
    } else if (this.seen.size > 0) {
      put(this.end, h("p", { class: "soft" }, "That is all that is here."));
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
    // In the order of the node: each ahead of the one that it stands before there.
    const order = this.page.posts.map((post) => post.post);
    for (const post of this.waiting) {
      if (this.seen.has(post.post)) continue;
      this.seen.add(post.post);
      const made = this.make(post);
      made.classList.add("fresh");
      const after = order.slice(order.indexOf(post.post) + 1);
      const next = after.map((address) => this.find(address)).find(Boolean) || null;
      this.posts.insertBefore(made, next);
    }
    this.waiting = [];
    if (isJump) this.element.scrollIntoView();
  }

  // More came than a page holds: what lies between would be missing.
  startOver() {
    this.round++;
    this.posts.replaceChildren();
    this.seen.clear();
    this.next = this.page.next;
    this.finish();
  }

  find(address) {
    return this.posts.querySelector(`[data-post="${CSS.escape(address)}"]`);
  }
}

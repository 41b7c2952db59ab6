// The nasty strings in every field that a stranger fills: all of it is shown as text.
import { readFileSync } from "node:fs";
import { faultsOf, fits, holds, json, look, openPage, parley, setting } from "./browser.mjs";

const { ann, bob } = setting;

function strings() {
  const own = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "https://example.com/\"onclick=alert(1)//",
    "http://a.example/<b>", "#<i>tag</i> #ok @<b>x</b>", "\u202Eevil\u202C \u2067isolate", "Z̸̢͎̫̄a̵̙̍l̶͓̈́g̵̘̈́o" + "\u0301".repeat(400), "x".repeat(5000),
    "https://" + "y".repeat(2000) + ".example/", "data:text/html,<script>alert(1)</script>", "\u200b\u2060\u3164", "\ufeff", "{{7*7}}${7*7}",
    "\u0000zero", "'\"`>", "</title></textarea></style><script>alert(1)</script>",
  ];
  return [...own, ...JSON.parse(readFileSync(setting.data + "/naughty-strings.json", "utf8"))].filter((text) => text.trim() !== "");
}

const cut = (text, size) => Buffer.from(text, "utf8").subarray(0, size).toString("utf8").replace(/\ufffd+$/, "") || "x";

export async function ugly() {
  const texts = strings();
  const page = await openPage(bob);
  const token = readFileSync(ann + "/api.token", "utf8");
  const url = json(ann, "status")[0].api;
  const say = async (path, body) => {
    const reply = await fetch(url + "/v1/" + path, { method: "POST", headers: { authorization: "Bearer " + token, "content-type": "application/json" }, body: JSON.stringify(body) });
    const told = await reply.json();
    holds(reply.status < 300, path + " " + JSON.stringify(body).slice(0, 80) + ": " + JSON.stringify(told));
    return told;
  };
  const me = json(bob, "id")[0].author;
  for (const [index, text] of texts.entries())
    await say("posts", { text, tags: [cut(text, 64)], ...(index % 3 === 0 ? { warning: cut(text, 256) } : {}), mentions: index % 7 === 0 ? [me] : [] });
  const first = json(ann, "timeline", "--limit", "1")[0].post;
  for (const text of texts.slice(0, 20)) await say("echoes", { post: first, text });
  for (let round = 0; round < 12; round++) {
    const text = texts[round];
    await say("profile", { name: cut(text, 256), about: text });
    await page.goto(page.url().split("#")[0] + "#/who/" + json(ann, "id")[0].author);
    await page.waitForSelector("main section h1");
    await fits(page);
    if (round === 6 || round === 7) await look(page, "ugly-name-" + round);
  }
  // All of it, at both widths, and every warning opened.
  for (const width of [360, 1100]) {
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(() => (location.hash = "#/"));
    await page.waitForSelector("article.post");
    // What is far from what is seen is not in the page: it is gathered on the way down.
    const shown = new Set(), seen = new Set();
    for (let i = 0, still = 0; i < 400 && still < 8; i++) {
      const [ids, words, more] = await page.evaluate(() => {
        document.querySelectorAll("details.fold").forEach((one) => (one.open = true));
        const at = window.scrollY;
        window.scrollBy(0, 1500);
        return [[...document.querySelectorAll("article.post")].map((one) => one.dataset.post), [...document.querySelectorAll("article.post .text")].map((one) => one.textContent), window.scrollY > at];
      });
      ids.forEach((one) => seen.add(one));
      words.forEach((one) => shown.add(one));
      if (i % 8 === 0) await fits(page);
      await page.waitForTimeout(60);
      still = more ? 0 : still + 1;
    }
    holds(seen.size >= texts.length, "all of them are there: " + seen.size);
    await fits(page);
    await look(page, "ugly-" + width);
    const lost = texts.filter((text) => !shown.has(text));
    holds(lost.length === 0, `shown as they are, but for ${lost.length}: ${JSON.stringify(lost.slice(0, 3))}`);
    await page.evaluate(() => (location.hash = "#/node"));
    await page.waitForSelector("main dl");
  }
  const made = await page.evaluate(() => document.querySelectorAll("main script, main img, main iframe, main object, main embed, main style, main form form").length);
  holds(made === 0, "no element is anybody's but ours");
  const links = await page.evaluate(() => [...document.querySelectorAll("main a")].filter((one) => !["http:", "https:"].includes(one.protocol)).map((one) => one.href));
  holds(links.length === 0, "links lead to pages alone: " + links);
  // In what the owner types, too: searches, muted words, tags.
  for (const text of texts.slice(0, 30)) {
    await page.evaluate((words) => (location.hash = "#/search?q=" + encodeURIComponent(words)), cut(text, 120));
    await page.waitForTimeout(60);
    await page.evaluate((words) => (location.hash = "#/tag/" + encodeURIComponent(words)), cut(text, 64));
    await page.waitForTimeout(60);
  }
  for (const text of texts.slice(0, 8)) parley(bob, "mute", "--word", cut(text.replaceAll("\u0000", ""), 60));
  await say("profile", { name: "widewide".repeat(30) });
  parley(bob, "allow", first);
  for (const width of [360, 1100]) {
    await page.setViewportSize({ width, height: 900 });
    for (const place of ["#/people", "#/lists", "#/who/" + json(ann, "id")[0].author]) {
      await page.evaluate((hash) => (location.hash = hash), place);
      await page.getByText("widewide").first().waitFor();
      await fits(page);
    }
  }
  await page.evaluate(() => (location.hash = "#/lists"));
  await page.getByText("Muted words").waitFor();
  await fits(page);
  const faults = await faultsOf(page);
  holds(faults.length === 0, "nothing ran and nothing was asked elsewhere: " + faults.slice(0, 5).join("; "));
  await page.context().close();
}

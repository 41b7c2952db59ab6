// How quick the page is with many posts: the first screen, scrolling, searching. Started by
// page_speed.py with its setting as JSON on standard input; prints a line for each figure, and fails
// where one is beyond its bound.
import { browser, link, openPage, setting } from "./browser.mjs";

const SCROLLED = setting.scrolled; // posts
const FIRST = "first screen: ";
let failed = 0;

function figure(words, ms, bound) {
  const bad = ms > bound;
  failed += bad;
  console.log(`${bad ? "too slow: " : ""}${words}: ${ms.toFixed(1)} ms, wanted ${bound}`);
}

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

// From the request for the page to the first frame that has posts. The page says itself when: to be
// asked it is given a script of the tool's own, 330 kB, which would have to be read in between.
async function firstScreen(page) {
  const times = [];
  await page.addInitScript((FIRST) => {
    new MutationObserver((_, watch) => {
      if (!document.querySelector("main article")) return;
      watch.disconnect();
      requestAnimationFrame(() => setTimeout(() => console.log(FIRST + performance.now())));
    }).observe(document, { childList: true, subtree: true });
  }, FIRST);
  for (let i = 0; i < 7; i++) {
    const said = page.waitForEvent("console", (message) => message.text().startsWith(FIRST));
    await page.reload({ waitUntil: "commit" });
    times.push(Number((await said).text().slice(FIRST.length)));
  }
  figure("first screen, median of 7", median(times), 200);
  figure("first screen, slowest of 7", Math.max(...times), 400);
}

// Three windows a second downwards until so many posts have been on the way; what a frame took.
async function scroll(page) {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  const told = await page.evaluate(async (wanted) => {
    const frames = [];
    let last = performance.now(), seen = 0;
    const ids = new Set();
    const end = last + 300000;
    while (seen < wanted && last < end) {
      window.scrollBy(0, innerHeight);
      await new Promise((done) => requestAnimationFrame(done));
      const now = performance.now();
      frames.push(now - last);
      last = now;
      if (frames.length % 2 === 0) for (const one of document.querySelectorAll("main article")) ids.add(one.dataset.post);
      seen = ids.size;
      if (window.scrollY + innerHeight * 2 > document.body.scrollHeight && frames.length % 3 === 0) await new Promise((done) => setTimeout(done, 20)), last = performance.now();
    }
    frames.sort((a, b) => a - b);
    return { seen, frames: frames.length, worst: frames.slice(-5), p99: frames[Math.floor(frames.length * 0.99)], nodes: document.querySelectorAll("*").length, height: document.body.scrollHeight };
  }, SCROLLED);
  console.log(`${told.seen} posts in ${told.frames} frames, ${told.nodes} elements at the end; the slowest frames: ${told.worst.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  if (told.seen < SCROLLED) { failed++; console.log("too slow: it did not come that far"); }
  // What a frame costs this page itself: other programs of the machine are not in it.
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const main = new Set(traceEvents.filter((one) => one.name === "thread_name" && one.args.name === "CrRendererMain").map((one) => one.pid + " " + one.tid));
  const tasks = traceEvents.filter((one) => one.tdur && main.has(one.pid + " " + one.tid)).map((one) => one.tdur / 1000).sort((a, b) => a - b);
  console.log(`${tasks.length} tasks of the page's thread; the longest, in its own time: ${tasks.slice(-5).map((ms) => ms.toFixed(1)).join(", ")} ms`);
  figure("longest task of the page's thread, in its own time", tasks.at(-1), 100);
  figure("99 frames of 100 within", told.p99, 50);
  figure("slowest frame", told.worst.at(-1), 100);
}

const ask = (page, path) => page.evaluate(async (asked) => (await fetch(asked, { headers: { "parley-page": localStorage.getItem("parley-word") } })).json(), path);

async function search(page) {
  while ((await ask(page, "/v1/work")).indexing) await page.waitForTimeout(100); // it was begun with the first page
  for (const words of setting.words) {
    const times = [];
    for (let i = 0; i < 5; i++)
      times.push(await page.evaluate(async (asked) => {
        const begin = performance.now();
        const reply = await fetch("/v1/search?details=1&limit=30&q=" + encodeURIComponent(asked), { headers: { "parley-page": localStorage.getItem("parley-word") } });
        await reply.json();
        return performance.now() - begin;
      }, words));
    figure(`search for “${words}”, median of 5`, median(times), 100);
  }
  await page.getByRole("searchbox").fill(setting.words[0]);
  const begin = Date.now();
  await page.keyboard.press("Enter");
  await page.waitForFunction((words) => location.hash.startsWith("#/search") && [...document.querySelectorAll("main article")].some((one) => one.textContent.includes(words)), setting.words[0]);
  figure("from Enter to what was found", Date.now() - begin, 200);
}

const page = await openPage(setting.home);
await page.waitForSelector("main article");
await firstScreen(page);
await search(page);
await page.evaluate(() => (location.hash = "#/"));
await page.waitForFunction(() => location.hash === "#/" && document.querySelectorAll("main article").length > 10);
await scroll(page);
await browser.close();
process.exit(failed ? 1 : 0);

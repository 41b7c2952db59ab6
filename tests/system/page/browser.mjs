// What the scenarios share: a browser that watches for everything the page must never do, and the
// parley command of each person. Started by page_test.py with its setting as JSON on standard input.
import { execFileSync, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync } from "node:fs";

export const setting = JSON.parse(readFileSync(0, "utf8"));
const { chromium } = createRequire(setting.playwright + "/")("playwright-core");

export function parley(home, ...words) {
  const input = typeof words.at(-1) === "object" ? words.pop().input : undefined;
  return execFileSync(setting.parley, ["--home", home, ...words], { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
}
export const json = (home, ...words) => parley(home, "--json", ...words).trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));

// A node of the scenario's own, for what ends one: {ended} says with what status.
export async function startNode(home, api, ...more) {
  const node = spawn(setting.parleyd, ["--home", home, "--listen", "127.0.0.1:0", "--api", api, ...more], { stdio: ["ignore", "pipe", "inherit"] });
  node.ended = new Promise((done) => node.on("exit", done));
  await new Promise((done) => node.stdout.once("data", done));
  nodes.push(node);
  return node;
}
const nodes = [];

export const link = (home) => json(home, "open")[0].url;

export const browser = await chromium.launch({ executablePath: setting.chromium, args: ["--no-sandbox", "--disable-gpu"] });

let lastPage;

// A page that notes what is against the rules: errors, CSP reports, requests elsewhere, dialogs.
export async function openPage(home, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const own = new URL(json(home, "status")[0].api).origin;
  page.faults = [];
  page.setDefaultTimeout(20000);
  lastPage = page;
  page.on("pageerror", (error) => page.faults.push("error: " + error.message));
  page.on("console", (message) => message.type() === "error" && !/status of 4\d\d/.test(message.text()) && page.faults.push("console: " + message.text()));
  page.on("dialog", (box) => { page.faults.push("dialog: " + box.message()); box.dismiss(); });
  page.on("request", (request) => new URL(request.url()).origin !== own && page.faults.push("request: " + request.url()));
  page.on("popup", (other) => page.faults.push("popup: " + other.url()));
  await page.addInitScript(() => {
    window.reports = [];
    document.addEventListener("securitypolicyviolation", (report) => window.reports.push(report.violatedDirective + " " + report.blockedURI));
  });
  await page.goto(link(home));
  await page.waitForFunction(() => !location.hash.startsWith("#open"));
  await page.waitForSelector("main h1, main h2, main article", { state: "attached" });
  return page;
}

export async function faultsOf(page) {
  return [...page.faults, ...(await page.evaluate(() => window.reports)).map((words) => "policy: " + words)];
}

export function holds(condition, words) {
  if (!condition) throw new Error("does not hold: " + words);
}

export async function look(page, name) {
  if (!setting.shots) return;
  mkdirSync(setting.shots, { recursive: true });
  await page.screenshot({ path: `${setting.shots}/${name}.png` });
}

// What axe-core finds serious or critical in what is seen, in the colours of light and of dark. It is
// run in a world of its own, so that the page's policy is what it is for everybody.
const axe = setting.playwright + "/node_modules/axe-core/axe.min.js";
export const hasAxe = existsSync(axe);
export async function passesAxe(page, name) {
  const client = await page.context().newCDPSession(page);
  const { frameTree } = await client.send("Page.getFrameTree");
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForTimeout(50);
    const { executionContextId } = await client.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
    const run = async (expression) => {
      const { result, exceptionDetails } = await client.send("Runtime.evaluate", { expression, contextId: executionContextId, awaitPromise: true, returnByValue: true });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
      return result.value;
    };
    await run(readFileSync(axe, "utf8") + ";0");
    const found = await run(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations
      .filter((one) => one.impact === "serious" || one.impact === "critical")
      .map((one) => one.id + " " + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 120) + " " + (node.any[0]?.message || node.all[0]?.message || node.none[0]?.message || "").slice(0, 160)).join(" | ")))`);
    holds(found.length === 0, `${name}, ${colorScheme}: axe finds ${found.join("; ")}`);
  }
  await page.emulateMedia({ colorScheme: null });
  await client.detach();
}

// Nothing stands out to the side, at any width.
export async function fits(page) {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const out = document.documentElement.scrollWidth > width ? ["the page: " + document.documentElement.scrollWidth] : [];
    for (const element of document.querySelectorAll("main *, header *, nav *")) {
      const box = element.getBoundingClientRect();
      const hidden = element.closest(".unseen") || getComputedStyle(element).display === "inline";
      if (!hidden && box.width > 0 && box.right > width + 1 && !inClipped(element)) out.push(element.outerHTML.slice(0, 80) + " " + box.right);
      // Nor out of its own card, words within words among it.
      const card = element.closest(".card, .post, dialog")?.getBoundingClientRect();
      if (card && !element.closest(".unseen") && box.width > 0 && (box.right > card.right + 1 || box.left < card.left - 1) && !inClipped(element)) out.push("out of its card: " + element.outerHTML.slice(0, 80));
    }
    for (const box of document.querySelectorAll("dialog[open]")) if (box.scrollWidth > box.clientWidth + 1) out.push("a dialog: " + box.scrollWidth);
    function inClipped(element) {
      for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
        if (getComputedStyle(at).overflowX !== "visible") return true;
      return false;
    }
    return out.slice(0, 5);
  });
  holds(wide.length === 0, "it fits: " + wide.join("; "));
}

export async function run(scenarios) {
  let failed = 0;
  console.log(`1..${scenarios.length}`);
  for (const [index, scenario] of scenarios.entries()) {
    const name = scenario.name.replaceAll("_", " ");
    try {
      await scenario();
      console.log(`ok ${index + 1} - ${name}`);
    } catch (error) {
      failed++;
      if (lastPage && !lastPage.isClosed()) await look(lastPage, "failed-" + (index + 1)).catch(() => {});
      console.log(`not ok ${index + 1} - ${name}`);
      for (const line of (error.stack + (error.stderr ? "\n" + error.stderr : "")).split("\n")) console.log("# " + line);
    }
  }
  await browser.close();
  for (const node of nodes) node.kill("SIGKILL");
  process.exit(failed ? 1 : 0);
}

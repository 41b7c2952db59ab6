// One's own machines, posts as files, and what takes its time: on the page of a person who has more
// than one machine, and of one who gets a stick.
import { readFileSync, renameSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { faultsOf, fits, hasAxe, holds, json, look, openPage, parley, passesAxe, setting } from "./browser.mjs";

const { ann, bob } = setting;
const author = (home) => json(home, "id")[0].author;
const NASTY = ["<img src=x onerror=alert(1)>", "\u202Eexe.gpj\u202C", "'\"><script>alert(1)</script>", "x".repeat(300), "مرحبا <b>", "../../../etc/passwd"];

async function go(page, place) {
  await page.evaluate((hash) => (location.hash = hash), place);
  await page.waitForTimeout(100);
  await page.waitForFunction(() => !document.querySelector("main > p.soft:only-child"), null, { timeout: 20000 });
}

async function clean(page) {
  const faults = await faultsOf(page);
  holds(faults.length === 0, "nothing against the rules: " + faults.join("; "));
  await page.context().close();
}

// As it stands now, at both widths and in both themes.
async function isWell(page, name) {
  for (const width of [360, 1100]) {
    await page.setViewportSize({ width, height: 800 });
    await fits(page);
    if (hasAxe) await passesAxe(page, name + " at " + width);
    await look(page, `${name}-${width}`);
  }
}

const alertSays = (page, words) => page.locator("[role=alert]", { hasText: words }).first().waitFor();

/* ---- machines ------------------------------------------------------------------------------------ */

function joining(name) {
  const home = `${setting.folder}/${name}`;
  return { home, ...json(home, "init", "--join", author(bob))[0] };
}

const rowOf = (page, device) => page.locator(`[data-device="${device}"]`);

export async function machines_are_added_named_and_revoked() {
  const page = await openPage(bob);
  const alone = json(bob, "device", "list")[0].device;
  await go(page, "#/devices");
  await rowOf(page, alone).waitFor();
  holds(await rowOf(page, alone).getByRole("button", { name: "Revoke…" }).count() === 0, "the device in use is not revoked here");
  const line = page.getByLabel("The line that the new machine prints");
  for (const words of [...NASTY, "pdevice-00", joining("other").request.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"))]) {
    await line.fill(words);
    await page.getByRole("button", { name: "Compare, then add", exact: true }).click();
    await alertSays(page, "this is no request of a device");
    await page.evaluate(() => document.querySelector("[role=alert]").remove());
  }
  // With keys alone, out of a line with words around it.
  const laptop = joining("laptop");
  await line.fill("");
  await line.focus();
  await page.keyboard.insertText(`On the machine that has the root key, type:\n  parley device add ${laptop.request}\n`);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const dialog = page.locator("dialog");
  await dialog.getByText(laptop.device).waitFor();
  if (hasAxe) await passesAxe(page, "is it the same");
  holds(json(bob, "device", "list").length === 1, "nothing is done before it was compared");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  holds(json(bob, "device", "list").length === 1, "who leaves it has not added it");
  await page.getByRole("button", { name: "Compare, then add", exact: true }).click();
  await dialog.getByRole("button", { name: "It is the same: add it" }).click();
  await rowOf(page, laptop.device).waitFor();
  holds(json(bob, "device", "list").some((one) => one.device === laptop.device && one.state === "open"), "it is the node's");
  const now = page.locator("main [role=status]", { hasText: "The new machine is yours now." });
  holds((await now.textContent()).includes(laptop.device.slice(0, 8)), "what is next stands there, and for which");
  await go(page, "#/me");
  await go(page, "#/devices");
  await now.waitFor();
  for (const name of NASTY) {
    await rowOf(page, laptop.device).getByRole("button", { name: /^(Name it|Rename)$/ }).click();
    await page.getByLabel("What you call it").fill(name);
    await page.keyboard.press("Enter");
    await page.waitForFunction(([device, words]) => document.querySelector(`[data-device="${device}"] strong`).textContent === words, [laptop.device, name.slice(0, 60)]);
    await fits(page);
  }
  await isWell(page, "devices");
  await rowOf(page, laptop.device).getByRole("button", { name: "Revoke…" }).click();
  holds(await dialog.getByRole("radio").first().isDisabled(), "nothing of it is here that could stay");
  holds(await dialog.getByRole("radio", { checked: true }).count() === 0 && await dialog.getByRole("button", { name: "Revoke", exact: true }).isDisabled(), "to reject everything is chosen by nobody but the owner");
  await dialog.getByRole("radio").nth(1).check();
  await isWell(page, "revoke");
  await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.locator(`[data-device="${laptop.device}"][data-state=void]`).waitFor();
  holds(json(bob, "device", "list").some((one) => one.device === laptop.device && one.state === "void"), "it is revoked at the node");
  holds(await now.count() === 0, "it is theirs no more");
  await line.fill(laptop.request);
  await page.getByRole("button", { name: "Compare, then add", exact: true }).click();
  await alertSays(page, "this device was revoked");
  await what_one_says_stays_when_it_is_revoked(page, dialog);
  await without_a_root_key_it_says_what_to_type(page);
  await clean(page);
}

async function what_one_says_stays_when_it_is_revoked(page, dialog) {
  const phone = joining("phone");
  parley(bob, "device", "add", phone.request);
  const bundle = execFileSync(setting.parley, ["--home", bob, "export"]);
  execFileSync(setting.parley, ["--home", phone.home, "import", "-"], { input: bundle });
  parley(phone.home, "post", "typed on the phone");
  const back = execFileSync(setting.parley, ["--home", phone.home, "export"]);
  execFileSync(setting.parley, ["--home", bob, "import", "-"], { input: back });
  await go(page, "#/me");
  await go(page, "#/devices");
  await rowOf(page, phone.device).getByRole("button", { name: "Revoke…" }).click();
  holds(await dialog.getByRole("radio").first().isChecked(), "what it said stays if nothing else is asked for");
  await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.locator(`[data-device="${phone.device}"][data-state=closed]`).waitFor();
  holds(json(bob, "timeline", "--author", author(bob)).some((one) => one.text === "typed on the phone"), "its post stays");
}

async function without_a_root_key_it_says_what_to_type(page) {
  renameSync(bob + "/root.key", bob + "/root.away");
  await go(page, "#/me");
  await go(page, "#/devices");
  await page.getByText("parley device add LINE").waitFor();
  holds(await page.getByLabel("The line that the new machine prints").count() === 0 && await page.getByRole("button", { name: "Revoke…" }).count() === 0, "nothing is offered that could not be done");
  const fields = await page.evaluate(() => [...document.querySelectorAll("main input, main textarea")].map((one) => one.getAttribute("aria-label") || one.type));
  holds(!fields.some((name) => /words|password/i.test(name)), "the words have no place here: " + fields);
  await isWell(page, "devices-without-root");
  renameSync(bob + "/root.away", bob + "/root.key");
}

/* ---- files --------------------------------------------------------------------------------------- */

async function saved(page, start) {
  const [download] = await Promise.all([page.waitForEvent("download"), start()]);
  const path = `${setting.folder}/${download.suggestedFilename()}`;
  await download.saveAs(path);
  return { name: download.suggestedFilename(), path };
}

async function bring(page, name, bytes) {
  await page.evaluate(() => document.querySelector("[data-outcome]")?.remove());
  await page.getByLabel("Choose a file").setInputFiles({ name, mimeType: "application/octet-stream", buffer: bytes });
  await page.locator("[data-outcome]").waitFor();
  return (await page.locator("[data-outcome] dd").allTextContents()).map((words) => Number(words.replace(/\D/g, "")));
}

export async function posts_go_out_as_a_file_and_come_in_again() {
  const out = await openPage(ann);
  for (const name of ["../../etc/passwd\u202Egnp.exe", "<b>\"'\n", "قطة"]) {
    parley(ann, "profile", "set", "--name", name);
    await out.goto(out.url().split("#")[0] + "#/who/" + author(ann));
    await out.reload();
    await out.getByText("More", { exact: true }).first().click();
    const { name: file } = await saved(out, () => out.getByRole("button", { name: "Save a copy" }).click());
    holds(/^parley-[A-Za-z0-9-]+\.parley$/.test(file), "a plain name of a file: " + file);
  }
  parley(ann, "profile", "set", "--name", "Ann");
  await go(out, "#/files");
  const { path } = await saved(out, () => out.getByRole("button", { name: "Save a copy of your posts" }).click());
  await out.locator("main [role=status]", { hasText: "Your browser has it now" }).waitFor();
  const bundle = readFileSync(path);
  holds(bundle.equals(execFileSync(setting.parley, ["--home", ann, "export"])), "the file is what parley export writes");
  parley(ann, "verify", path);
  await clean(out);

  const page = await openPage(setting.reader);
  await go(page, "#/files");
  const flipped = Buffer.from(bundle);
  flipped[bundle.length - 300] ^= 1; // within the last chunk
  const bad = await bring(page, NASTY[0] + "\u202E.parley", flipped);
  holds(bad[2] > 0 && await page.locator("[data-outcome=not] li", { hasText: /Entr(y|ies) [\d,]+.* of log [0-9a-f]{12}/ }).count() > 0, "what is refused is named: " + bad);
  await isWell(page, "import-refused");
  const first = await bring(page, "stick.parley", bundle);
  const entries = first[0] + first[1];
  holds(first[0] > 0 && first[2] === 0 && await page.locator("[data-outcome=good]").count() === 1, "all of it comes in: " + first);
  const again = await bring(page, NASTY[2], bundle);
  holds(again[0] === 0 && again[1] === entries && again[2] === 0, "again it is held already: " + again);
  await isWell(page, "import-held");
  await go(page, "#/me");
  await go(page, "#/files");
  await page.locator("[data-outcome=good]").waitFor();
  await bring(page, NASTY[1], bundle.subarray(0, bundle.length - 1000));
  await page.getByText("a part of it is missing").waitFor({ state: "attached" });
  await bring(page, "none.parley", Buffer.from("<script>alert(1)</script>"));
  await page.getByText("this is no file of posts").waitFor();
  await bring(page, "empty.parley", Buffer.alloc(0));
  await page.getByText("this is no file of posts").waitFor();
  const patched = Buffer.from(bundle);
  patched[bundle.length - 5] ^= 1; // of the trailer's hash
  const odd = await bring(page, "patched.parley", patched);
  holds(odd[0] === 0 && odd[2] === 0, "what is good of it was taken: " + odd);
  await page.getByText("does not fit the rest").waitFor({ state: "attached" });
  holds(json(setting.reader, "timeline", "--author", author(ann), "--limit", "0").length === json(ann, "timeline", "--author", author(ann), "--limit", "0").length, "the posts are here");
  await clean(page);
}

/* ---- what takes its time --------------------------------------------------------------------------- */

const IDLE = { judging: 0, fetching: false, entries: 100, purging: 0, indexing: false, indexed: 0, compacting: false };

export async function what_takes_longer_than_a_second_is_said() {
  const page = await openPage(bob);
  const real = await page.evaluate(() => fetch("/v1/work", { headers: { "parley-page": localStorage.getItem("parley-word") } }).then((reply) => reply.json()));
  holds(Object.keys(IDLE).every((name) => name in real), "the node tells of: " + Object.keys(real));
  let told = IDLE;
  await page.route("**/v1/work", (route) => route.fulfill({ json: told }));
  for (const [work, words, ended] of [
    [{ judging: 7 }, /Starting up: 7 parts left to check/, /stored is checked/],
    [{ fetching: true, entries: 1334 }, /Fetching posts: [\d,]+ new so far/, /Up to date/],
    [{ purging: 5000 }, /Removing dropped posts: 5,?000 left/, /dropped is removed/],
    [{ indexing: true, indexed: 54000 }, /Preparing search: 54,?000 posts so far/, /Search is ready/],
    [{ compacting: true }, /Freeing disk space/, /space is freed/]]) {
    told = { ...IDLE, ...work };
    await page.locator("#work:not([hidden])", { hasText: words }).waitFor();
    await page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector("#live").textContent), words.source);
    told = IDLE;
    await page.locator("#work").waitFor({ state: "hidden" });
    await page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector("#live").textContent), ended.source);
  }
  told = { ...IDLE, judging: 7, fetching: true, indexing: true, purging: 9 };
  await page.locator("#work", { hasText: /Preparing search/ }).waitFor();
  await isWell(page, "work");
  told = IDLE;
  await page.locator("#work").waitFor({ state: "hidden" });
  await page.setViewportSize({ width: 1100, height: 800 });
  await a_slow_view_and_a_slow_button_say_so(page);
  await a_slow_import_shows_how_far_it_is_and_can_be_stopped(page);
  await the_check_of_the_store_ends_in_words(page);
  await clean(page);
}

const slowly = (page, path, ms) => page.route(path, async (route) => { await new Promise((done) => setTimeout(done, ms)); await route.continue().catch(() => {}); });

async function a_slow_view_and_a_slow_button_say_so(page) {
  await slowly(page, "**/v1/people?*", 2500);
  await page.evaluate(() => (location.hash = "#/people"));
  await page.getByText("your node is busy").first().waitFor();
  await page.getByRole("heading", { name: "Follow somebody" }).waitFor();
  await page.unroute("**/v1/people?*");
  await slowly(page, "**/v1/invites", 2500);
  await page.getByRole("button", { name: "Invite somebody" }).click();
  await page.locator("button[aria-busy=true]", { hasText: "Invite somebody" }).waitFor();
  await page.waitForFunction(() => document.querySelector("#live").textContent === "Still working…");
  await page.locator("code", { hasText: /^pinvite1/ }).waitFor();
  await page.unroute("**/v1/invites");
}

async function a_slow_import_shows_how_far_it_is_and_can_be_stopped(page) {
  const bundle = execFileSync(setting.parley, ["--home", ann, "export"]);
  await go(page, "#/files");
  let goOn;
  const held = new Promise((done) => (goOn = done));
  await page.route("**/v1/import", async (route) => { await held; await route.continue().catch(() => {}); });
  await page.getByLabel("Choose a file").setInputFiles({ name: "slow.parley", mimeType: "application/octet-stream", buffer: bundle });
  await page.locator("#work", { hasText: "Importing" }).waitFor();
  await go(page, "#/");
  await page.locator("#work", { hasText: "Importing" }).waitFor();
  await go(page, "#/files");
  await page.getByRole("progressbar", { name: "Progress" }).first().waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  goOn();
  await page.locator("[data-outcome]", { hasText: "Stopped" }).waitFor();
  await page.locator("#work").waitFor({ state: "hidden" });
  await page.unroute("**/v1/import");
}

async function the_check_of_the_store_ends_in_words(page) {
  await go(page, "#/node");
  await page.getByRole("button", { name: "Check everything stored here" }).click();
  await page.locator("[data-damages='0']").waitFor();
}

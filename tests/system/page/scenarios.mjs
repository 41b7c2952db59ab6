// What a person does with the page, step by step, against real nodes: ann and bob are connected,
// new has just begun. Each checks through the parley command what the node has of it.
import { browser, faultsOf, fits, hasAxe, holds, json, link, look, openPage, parley, passesAxe, run, setting, startNode } from "./browser.mjs";
import { machines_are_added_named_and_revoked, posts_go_out_as_a_file_and_come_in_again, what_takes_longer_than_a_second_is_said } from "./own.mjs";
import { ugly } from "./ugly.mjs";

const { ann, bob } = setting;
const author = (home) => json(home, "id")[0].author;
const until = (page, what, ...more) => page.waitForFunction(what, ...more, { timeout: 20000 });
const saysText = (page, text) => page.getByText(text, { exact: false }).first().waitFor({ timeout: 20000 });
const dialogButton = (page, name) => page.locator("dialog").getByRole("button", { name, exact: true });
const go = async (page, place) => {
  await page.evaluate((hash) => (location.hash = hash), place);
  await page.waitForTimeout(100);
  await until(page, () => !document.querySelector("main > p.soft:only-child"));
};
// The card of the post with exactly this text, and not of one that quotes it.
const cardOf = (page, home, text) => page.locator(`article[data-post="${json(home, "timeline", "--limit", "0").find((one) => one.text === text).post}"]`);
const postCard = (page, text) => page.locator("article.post", { hasText: text }).first();

async function clean(page) {
  const faults = await faultsOf(page);
  holds(faults.length === 0, "nothing against the rules: " + faults.join("; "));
  await page.context().close();
}

async function a_newcomer_is_led_from_a_name_to_the_first_post() {
  const page = await openPage(setting.new);
  await saysText(page, "A few first steps");
  await look(page, "new-home");
  await page.getByLabel("Name", { exact: true }).fill("Nia");
  await page.getByRole("button", { name: "Save" }).click();
  await saysText(page, "Somebody to follow");
  const invitation = `Follow me: ${author(ann)} at ${json(ann, "status")[0].listen[0]}.`;
  await page.getByLabel("What a friend gave you").first().fill(invitation);
  await page.getByRole("button", { name: "Follow", exact: true }).first().click();
  await until(page, () => document.querySelectorAll(".steps .done").length >= 2);
  holds(json(setting.new, "profile")[0].name === "Nia", "the name is the node's");
  holds(json(setting.new, "follows")[0].author === author(ann), "the follow is the node's");
  await page.getByRole("button", { name: "Hide these steps" }).click();
  await page.getByLabel("What do you want to say?").first().fill("My first words");
  await saysText(page, "14 characters");
  await page.getByRole("button", { name: "Post", exact: true }).click();
  await postCard(page, "My first words").waitFor();
  await look(page, "new-first-post");
  for (const place of ["notices", "people", "me", "devices", "files", "lists", "node"]) {
    await go(page, "#/" + place);
    await look(page, "new-" + place);
    await fits(page);
  }
  await clean(page);
}

async function posts_come_by_themselves() {
  parley(ann, "profile", "set", "--name", "Ann", "--about", "Rivers, mostly.");
  parley(bob, "profile", "set", "--name", "Bob");
  parley(bob, "follow", author(ann));
  parley(ann, "follow", author(bob));
  const page = await openPage(bob);
  parley(ann, "post", "The river is high today", "--tag", "rivers");
  await postCard(page, "The river is high today").waitFor({ timeout: 20000 });
  const first = await page.locator("article.post").first().textContent();
  holds(first.includes("The river is high today"), "the newest stands first");
  await until(page, () => document.querySelector("#live").textContent.includes("new post"));
  parley(ann, "post", "--ndjson", { input: Array.from({ length: 60 }, (_, i) => JSON.stringify({ text: `drop ${i}` }) + "\n").join("") });
  await postCard(page, "drop 59").waitFor({ timeout: 20000 });
  for (let i = 0; i < 100 && await postCard(page, "The river is high today").count() === 0; i++) {
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await page.waitForTimeout(200);
  }
  await postCard(page, "The river is high today").waitFor();
  const seen = await page.locator("article.post").evaluateAll((all) => all.map((one) => one.dataset.post));
  holds(new Set(seen).size === seen.length && seen.length >= 61, "each stands once: " + seen.length);
  const places = () => page.evaluate(() => document.querySelector("#nav").getBoundingClientRect().top);
  await page.evaluate(() => window.scrollTo(0, 0));
  const above = await places();
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight)); // where what comes waits behind a button
  await page.waitForTimeout(200);
  holds(Math.abs(await places() - above) < 1, "the places stay where they are: " + above);
  parley(ann, "post", "while you were reading");
  await page.getByRole("button", { name: /1 new post/ }).click({ timeout: 20000 });
  await postCard(page, "while you were reading").waitFor();
  await look(page, "home");
  await clean(page);
}

// So many go to the node and back before the first post is seen; the rest is asked for behind it.
async function the_first_screen_asks_for_little() {
  const page = await openPage(bob), asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.reload();
  for (let i = 0; i < 100 && !asked.includes("/v1/events"); i++) await page.waitForTimeout(100);
  const before = asked.slice(0, asked.findIndex((path) => /events|notifications|work/.test(path)));
  const wanted = ["/v1/people", "/v1/people/" + author(bob), "/v1/status", "/v1/timeline"];
  holds(before.filter((path) => path.startsWith("/v1")).sort().join() === wanted.join(), "before the first screen: " + asked.join());
  await clean(page);
}

async function one_paste_makes_two_follow_each_other() {
  const giver = await openPage(bob);
  await go(giver, "#/people");
  const keep = async (isOn, words) => {
    await giver.getByLabel(/nodes in this local network/).first().setChecked(isOn);
    await giver.getByRole("button", { name: "Save" }).first().click();
    await until(giver, (part) => document.querySelector("#toast").textContent.includes(part), words);
  };
  await keep(true, "where this node is started");
  await keep(false, "Saved.");
  await giver.getByRole("button", { name: "Invite somebody" }).click();
  await giver.locator("code", { hasText: /^pinvite1/ }).waitFor();
  const invite = await giver.locator("code", { hasText: /^pinvite1/ }).textContent();
  holds(await giver.getByRole("img", { name: /code for a camera/ }).count() === 1, "there is a code for a camera");
  await look(giver, "invite");
  await fits(giver);
  await clean(giver);
  const page = await openPage(setting.new);
  await go(page, "#/people");
  const paste = async (words) => {
    await page.getByLabel("What a friend gave you").first().fill(words);
    await page.getByRole("button", { name: "Follow", exact: true }).first().click();
  };
  for (const bad of [invite.slice(0, -9), invite.replace(/.$/, (letter) => (letter === "A" ? "B" : "A")), "pinvite1<script>alert(1)</script>", "pinvite1" + "A".repeat(5000)]) {
    await paste(bad);
    await until(page, () => /invite/.test(document.querySelector("#toast").textContent) && !/Asking/.test(document.querySelector("#toast").textContent));
    await page.evaluate(() => (document.querySelector("#toast span").textContent = ""));
  }
  holds(!json(setting.new, "follows").some((one) => one.author === author(bob)), "nobody is followed for a bad one");
  await paste(`Here you are: ${invite}.`);
  await until(page, () => /follow each other/.test(document.querySelector("#toast").textContent));
  const follows = (home, other) => json(home, "follows").some((one) => one.author === author(other));
  holds(follows(setting.new, bob) && follows(bob, setting.new), "both follow");
  await paste(invite);
  await until(page, () => /follow each other/.test(document.querySelector("#toast").textContent));
  await clean(page);
}

async function writing_answering_quoting_passing_on_and_voting() {
  const page = await openPage(bob);
  await page.getByLabel("What do you want to say?").first().focus();
  await page.keyboard.type("Hello @An");
  await page.getByRole("group", { name: "Whom do you mean?" }).getByRole("button").first().click();
  await page.keyboard.type("and the #rivers 👩‍👩‍👧");
  await saysText(page, "28 characters");
  await look(page, "composing");
  await page.keyboard.press("Control+Enter");
  await postCard(page, "and the #rivers").waitFor();
  const mine = json(bob, "timeline", "--author", author(bob))[0];
  holds(mine.text === "Hello @Ann and the #rivers 👩‍👩‍👧" && mine.tags[0] === "rivers" && mine.mentions[0] === author(ann), "text, tag, mention: " + JSON.stringify(mine));
  const theirs = cardOf(page, bob, "while you were reading");
  await theirs.locator("[data-act=reply]").click();
  await look(page, "answering");
  await page.getByLabel("Your reply").fill("not this");
  await dialogButton(page, "Cancel").click();
  await page.locator("dialog").waitFor({ state: "detached" });
  holds(!json(bob, "timeline", "--author", author(bob)).some((one) => one.text === "not this"), "what is cancelled is not sent");
  await theirs.locator("[data-act=reply]").click();
  holds(await page.getByLabel("Your reply").inputValue() === "", "nor is it there again");
  await page.getByLabel("Your reply").fill("I was");
  await dialogButton(page, "Reply").click();
  await postCard(page, "I was").waitFor();
  await theirs.locator("[data-act=quote]").click();
  await page.locator("dialog textarea").fill("Hear, hear");
  await dialogButton(page, "Post").click();
  await postCard(page, "Hear, hear").waitFor();
  await theirs.locator("[data-act=up]").click();
  await until(page, () => document.querySelector("[data-act=up][aria-pressed=true]"));
  await theirs.locator("[data-act=echo]").click();
  await page.locator("article.post", { hasText: "reposted" }).first().waitFor();
  const all = json(bob, "timeline", "--author", author(bob));
  const to = json(bob, "timeline", "--author", author(ann))[0];
  holds(all.some((one) => one.reply_to === to.post && one.text === "I was"), "the answer");
  holds(all.some((one) => one.quote === to.post && one.text === "Hear, hear"), "the quote");
  holds(all.some((one) => one.echo_of === to.post), "the echo");
  holds(json(bob, "show", to.post)[0].votes.up === 1, "the vote");
  await theirs.locator("[data-act=up]").click();
  await until(page, () => !document.querySelector("[data-act=up][aria-pressed=true]"));
  await fits(page);
  await look(page, "home-busy");
  await clean(page);
}

async function threads_tags_people_and_what_concerns_you() {
  const page = await openPage(ann);
  await until(page, () => document.querySelector("#unread") && !document.querySelector("#unread").hidden);
  await page.getByRole("link", { name: /Activity/ }).click();
  await postCard(page, "I was").waitFor();
  await page.getByText(/follows? you/).first().waitFor();
  await saysText(page, "reposted your post");
  await look(page, "notices");
  holds(await page.locator("#unread").isHidden(), "what was seen counts no more");
  await postCard(page, "I was").locator("a.when").click();
  await saysText(page, "Thread");
  await page.getByLabel("Your reply").fill("Then you are quick");
  await page.getByRole("button", { name: "Reply", exact: true }).last().click();
  await postCard(page, "Then you are quick").waitFor();
  const box = page.getByRole("region", { name: "Reply", exact: true });
  holds((await box.locator("blockquote").textContent()).includes(await page.locator("article.here .text").textContent()), "what the box replies to stands in it");
  await look(page, "thread");
  await go(page, "#/tag/rivers");
  await postCard(page, "and the #rivers").waitFor();
  await postCard(page, "The river is high today").waitFor();
  await page.locator("article a.who").first().click();
  await page.getByRole("button", { name: "Unfollow" }).click();
  await page.getByRole("button", { name: "Follow", exact: true }).waitFor();
  await saysText(page, "Public: others can see it.");
  holds(json(ann, "follows").length === 0, "unfollowed");
  await look(page, "person");
  await page.getByRole("button", { name: "Follow", exact: true }).click();
  await page.getByRole("button", { name: "Unfollow" }).waitFor();
  await page.getByRole("searchbox").fill("HÉAR high river today".replace("HÉAR ", ""));
  await page.keyboard.press("Enter");
  await postCard(page, "The river is high today").waitFor();
  holds((await page.locator("article mark").allTextContents()).join(" ").toLowerCase().includes("high"), "what was looked for is marked");
  holds(await page.getByRole("searchbox").inputValue() === "high river today", "and stands where it was typed");
  await look(page, "search");
  await clean(page);
}

async function what_is_hidden_says_why_and_is_had_back_with_one_click() {
  const page = await openPage(bob);
  parley(ann, "post", "A spider in the kitchen");
  await postCard(page, "A spider in the kitchen").waitFor({ timeout: 20000 });
  await go(page, "#/lists");
  await page.getByLabel("A word to mute").fill("Spider");
  await page.getByRole("button", { name: "Mute", exact: true }).click();
  await saysText(page, "“spider”");
  await go(page, "#/");
  holds(await postCard(page, "A spider in the kitchen").count() === 0, "the word hides it");
  await page.getByLabel("Show placeholders for hidden posts").check();
  const place = page.locator("article.ghost").first();
  await place.waitFor();
  await look(page, "hidden");
  await place.getByRole("button", { name: "Why?" }).click();
  await page.locator("dialog").getByText("spider").waitFor();
  await look(page, "why");
  await dialogButton(page, "Show this post").click();
  await page.locator("[data-state=visible]").waitFor();
  await dialogButton(page, "Close").click();
  await postCard(page, "A spider in the kitchen").waitFor();
  await postCard(page, "A spider in the kitchen").getByText("More").click();
  await page.getByRole("button", { name: "Block the author" }).click();
  await dialogButton(page, "Block").click();
  await until(page, () => document.querySelector("article.ghost"));
  holds(json(bob, "block").length === 1, "blocked");
  await page.locator("article.ghost").last().getByRole("button", { name: "Why?" }).click();
  await dialogButton(page, "Unblock the person").click();
  await dialogButton(page, "Close").click();
  await until(page, () => !document.querySelector("article.ghost"));
  holds(json(bob, "block").length === 0, "unblocked");
  await clean(page);
}

async function dropping_here_and_taking_back_everywhere() {
  const page = await openPage(bob);
  const theirs = cardOf(page, bob, "while you were reading");
  const address = await theirs.getAttribute("data-post");
  await theirs.getByText("More").click();
  await theirs.getByRole("button", { name: "Drop its words here" }).click();
  await dialogButton(page, "Drop").click();
  await until(page, (post) => !document.querySelector(`article[data-post="${post}"] .text`), address);
  holds(json(bob, "show", address)[0].kind === "purged" && json(ann, "show", address)[0].kind === "post", "dropped here and only here");
  await go(page, "#/post/" + address);
  await page.getByText("You dropped the words").first().waitFor();
  await page.getByRole("button", { name: "Why?" }).first().click();
  await dialogButton(page, "Show this post").click();
  await dialogButton(page, "Close").click();
  for (let i = 0; i < 100 && json(bob, "show", address)[0].kind !== "post"; i++) await page.waitForTimeout(200);
  holds(json(bob, "show", address)[0].kind === "post", "who has it was asked again");
  const other = await openPage(ann);
  await postCard(other, "Hear, hear").waitFor();
  await go(page, "#/");
  const own = cardOf(page, bob, "Hear, hear");
  await own.getByText("More").click();
  await own.getByRole("button", { name: "Take it back" }).click();
  await dialogButton(page, "Take it back").click();
  await until(other, () => ![...document.querySelectorAll("article")].some((one) => one.textContent.includes("Hear, hear")));
  await clean(page);
  await clean(other);
}

async function keys_alone_are_enough() {
  const page = await openPage(ann);
  await page.locator("article.post").first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  const at = () => page.evaluate(() => [...document.querySelectorAll("#main article")].indexOf(document.activeElement));
  holds(await at() === 0, "j, j, k is the first: " + await at());
  await page.keyboard.press("?");
  await page.locator("dialog").getByText("Previous post").waitFor();
  await look(page, "keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("w");
  await page.locator("dialog [data-state]").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.keyboard.type("n is written, j too");
  await page.keyboard.press("Control+Enter");
  await postCard(page, "n is written, j too").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("written");
  await page.keyboard.press("Enter");
  await until(page, () => document.title.startsWith("Search"));
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("h");
  await until(page, () => document.title.startsWith("Home"));
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await until(page, () => document.title.startsWith("Thread"));
  await clean(page);
}

async function screen_readers_get_landmarks_names_and_news() {
  const page = await openPage(ann);
  for (const place of ["#/", "#/notices", "#/people", "#/me", "#/devices", "#/files", "#/lists", "#/node"]) {
    await go(page, place);
    const poor = await page.evaluate(() => {
      const nameless = [...document.querySelectorAll("button, input, textarea, a, nav, summary")].filter((element) => {
        const label = element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.[0]?.textContent.trim();
        return !label && element.checkVisibility();
      });
      return nameless.map((element) => element.outerHTML.slice(0, 100));
    });
    holds(poor.length === 0, place + ": every control has a name: " + poor.join("; "));
    const marks = await page.evaluate(() => ["main", "nav", "header", "h1", "[role=search]", "[role=status][aria-live=polite]"].filter((mark) => !document.querySelector(mark)));
    holds(marks.length === 0, place + ": landmarks: " + marks);
    holds(await page.evaluate(() => document.querySelectorAll("h1").length === 1), place + ": one title");
  }
  await clean(page);
}

async function axe_finds_nothing_serious_in_any_view() {
  if (!hasAxe) { console.log("# axe-core is not here: npm install axe-core beside playwright-core"); return; }
  const page = await openPage(ann);
  const posts = json(ann, "timeline", "--limit", "0");
  const answer = posts.find((one) => one.reply_to);
  const places = ["#/", "#/notices", "#/people", "#/me", "#/devices", "#/files", "#/lists", "#/node", "#/tag/rivers", "#/search?q=the", "#/search?q=nowhereatall",
    "#/who/" + author(ann), "#/who/" + author(bob), "#/post/" + (answer || posts[0]).post, "#/post/post1nothing"];
  for (const width of [1100, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const place of places) {
      await go(page, place);
      await passesAxe(page, place + " at " + width);
    }
    await go(page, "#/");
    await page.getByText("More", { exact: true }).first().click();
    await passesAxe(page, "a menu at " + width);
    await page.locator("article").first().getByRole("button", { name: "Why?" }).click();
    await page.locator("dialog [data-state]").waitFor();
    await passesAxe(page, "why at " + width);
    await dialogButton(page, "Close").click();
    await page.locator("article [data-act=reply]").first().click();
    await passesAxe(page, "an answer at " + width);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.locator("dialog kbd").first().waitFor();
    await passesAxe(page, "the keys at " + width);
    await page.keyboard.press("Escape");
  }
  await clean(page);
  const fresh = await openPage(setting.new);
  await fresh.evaluate(() => { for (const name of Object.keys(localStorage)) if (name !== "parley-word") localStorage.removeItem(name); });
  await fresh.reload();
  await fresh.getByText("A few first steps").waitFor();
  await passesAxe(fresh, "the first start");
  await clean(fresh);
}

async function whoever_has_no_link_is_told_where_one_comes_from() {
  const context = await browser.newContext();
  const page = await context.newPage();
  const address = link(ann), plain = address.split("#")[0];
  await page.goto(plain);
  await saysText(page, "This page opens with a link");
  holds(await page.getByRole("link", { name: "People" }).count() === 0, "nothing leads anywhere");
  await look(page, "out");
  await page.goto(address);
  await page.locator("article.post").first().waitFor();
  holds(!page.url().includes("open="), "the secret is not kept in the address");
  const other = await (await browser.newContext()).newPage();
  await other.goto(address);
  await saysText(other, "the link was used");
  await saysText(other, "This page opens with a link");
  await page.goto(plain + "#/me");
  await page.getByRole("button", { name: "End every session" }).click();
  await dialogButton(page, "End").click();
  await saysText(page, "This page opens with a link");
  await context.close();
}

async function small_dark_and_right_to_left() {
  parley(ann, "post", "مرحبا بالعالم، هذا منشور طويل بما يكفي ليملأ أكثر من سطر واحد على شاشة صغيرة (حقا).");
  parley(ann, "post", "שלום עולם hello 123");
  parley(ann, "post", "a".repeat(3000));
  parley(ann, "post", "line\n".repeat(80));
  const page = await openPage(bob, { viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  await postCard(page, "مرحبا").waitFor({ timeout: 20000 });
  const sides = await page.evaluate(() => [...document.querySelectorAll("article .text")].map((one) => [one.textContent.slice(0, 4), getComputedStyle(one).direction]));
  holds(sides.some(([text, side]) => text.startsWith("مرح") && side === "rtl"), "right to left: " + JSON.stringify(sides));
  await fits(page);
  await look(page, "small-dark");
  for (const place of ["#/notices", "#/people", "#/me", "#/devices", "#/files", "#/lists", "#/node"]) {
    await go(page, place);
    await fits(page);
    await look(page, "small-" + place.slice(2));
  }
  await go(page, "#/tag/" + "longtag".repeat(9));
  await fits(page);
  holds(await page.evaluate(() => document.querySelector("main h1").scrollWidth <= document.querySelector("main h1").clientWidth), "a long tag is whole");
  const low = await page.evaluate(() => {
    const light = (color) => {
      const [r, g, b] = color.match(/[\d.]+/g).slice(0, 3).map((one) => { const v = one / 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => { for (let at = element; at; at = at.parentElement) { const color = getComputedStyle(at).backgroundColor; if (!color.endsWith(", 0)")) return color; } return "rgb(255,255,255)"; };
    return [...document.querySelectorAll("main p, main dd, main a, main h2, nav a")].filter((one) => one.textContent.trim()).map((one) => {
      const [a, b] = [light(getComputedStyle(one).color), light(ground(one))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), one.textContent.slice(0, 30)];
    }).filter(([ratio]) => ratio < 4.5);
  });
  holds(low.length === 0, "enough contrast: " + JSON.stringify(low.slice(0, 3)));
  await clean(page);
}

async function a_node_that_goes_and_comes_back() {
  const home = setting.folder + "/coming";
  parley(home, "init");
  let node = await startNode(home, "127.0.0.1:0");
  const place = new URL(json(home, "status")[0].api).host;
  const page = await openPage(home);
  parley(home, "post", "before");
  await postCard(page, "before").waitFor();
  node.kill("SIGTERM");
  holds(await node.ended === 0, "an open stream keeps no node from ending");
  await saysText(page, "Your node does not answer");
  page.faults.length = 0; // that its requests fail is what happened
  node = await startNode(home, place);
  await saysText(page, "Your node is back");
  parley(home, "post", "after");
  await postCard(page, "after").waitFor();
  await page.getByLabel("What do you want to say?").first().fill("and so do I");
  await page.keyboard.press("Control+Enter");
  await postCard(page, "and so do I").waitFor();
  holds((await page.locator("article.post").count()) === 3, "each stands once");
  const kept = page.faults.filter((words) => !words.includes("ERR_CONNECTION_REFUSED"));
  holds(kept.length === 0, "nothing against the rules: " + kept.join("; "));
  await page.context().close();
  node.kill("SIGTERM");
  holds(await node.ended === 0, "it ends");
}

async function a_relay_is_nobodys_and_shows_what_it_carries() {
  const home = setting.folder + "/relay";
  const node = await startNode(home, "127.0.0.1:0", "--relay");
  const page = await openPage(home);
  await saysText(page, "No posts yet");
  holds(await page.locator("#write").isHidden() && await page.locator("textarea").count() === 0, "nothing is written here");
  parley(ann, "connect", json(home, "id")[0].listen[0]);
  await page.locator("article.post").first().waitFor();
  await look(page, "relay");
  for (const place of ["#/notices", "#/people", "#/me", "#/devices", "#/files", "#/lists", "#/node"]) {
    await go(page, place);
    await page.waitForTimeout(300);
    await fits(page);
  }
  await clean(page);
  node.kill("SIGTERM");
  holds(await node.ended === 0, "it ends");
}

const all = [a_newcomer_is_led_from_a_name_to_the_first_post, posts_come_by_themselves, the_first_screen_asks_for_little, one_paste_makes_two_follow_each_other,
  writing_answering_quoting_passing_on_and_voting, threads_tags_people_and_what_concerns_you,
  what_is_hidden_says_why_and_is_had_back_with_one_click, dropping_here_and_taking_back_everywhere,
  keys_alone_are_enough, screen_readers_get_landmarks_names_and_news, axe_finds_nothing_serious_in_any_view,
  whoever_has_no_link_is_told_where_one_comes_from, small_dark_and_right_to_left, a_node_that_goes_and_comes_back,
  a_relay_is_nobodys_and_shows_what_it_carries, machines_are_added_named_and_revoked,
  posts_go_out_as_a_file_and_come_in_again, what_takes_longer_than_a_second_is_said, ugly];
const wanted = process.argv.slice(2);
await run(wanted.length > 0 ? all.filter((one) => wanted.some((word) => one.name.includes(word))) : all);

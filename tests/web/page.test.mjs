// The HTML page in a real browser: what it draws, what it says, and that untrusted text does nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";
import { EARLIEST, FIRST_DAY, UNTRUSTED, UNTIL, page, report, tenant } from "./tenant.mjs";

const WEEK = { since: FIRST_DAY, until: UNTIL };
let world;
let browser;
let file;

before(async () => {
  world = await tenant();
  file = page(world, "week.html", "--period", "week", "--date", FIRST_DAY, "--language", "en");
  browser = await launch();
});
after(async () => {
  await browser?.close();
  world?.remove();
});

/** Opens a page and records everything that must not happen. */
async function open(path = file, { hash = "", width = 1280, scheme = "light", scripts = true } = {}) {
  const tab = await browser.newPage();
  await tab.setJavaScriptEnabled(scripts);
  const wrong = [];
  tab.on("console", (message) => wrong.push(`console ${message.type()}: ${message.text()}`));
  tab.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  tab.on("dialog", (dialog) => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  tab.on("popup", () => wrong.push("a window was opened"));
  const url = pathToFileURL(path).href;
  tab.on("request", (request) => { if (!request.url().startsWith(url)) wrong.push(`request: ${request.url().slice(0, 120)}`); });
  await tab.evaluateOnNewDocument(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  await tab.setViewport({ width, height: 900 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
  await tab.goto(url + hash);
  await tab.waitForSelector(scripts ? "#tools .added" : "main .wrap");
  tab.closeClean = async () => {
    assert.deepEqual(await tab.evaluate(() => window.violations), []);
    assert.equal(await tab.evaluate(() => window.hacked), undefined, "untrusted text was executed");
    assert.deepEqual(wrong, []);
    await tab.close();
  };
  return tab;
}
const texts = (tab, selector) => tab.$$eval(selector, (found) => found.map((one) => one.innerText.replace(/\s+/g, " ").trim()));
const bodyRows = (tab, id) => tab.$$eval(`#t-${id} tbody tr`, (found) => found.map((row) => [...row.cells].map((cell) => cell.innerText.replace(/\s+/g, " ").trim())));
async function showAll(tab, id) {
  await tab.evaluate((name) => {
    const box = document.getElementById("all-" + name);
    if (box) box.checked = true;
    for (const folded of document.querySelectorAll(`#s-${name} details`)) folded.open = true;
  }, id);
}
/** The number that a cell shows. */
const shown = (text) => (text === "" || text === "–" ? null : Number(text.replace(/[,\s%]|ms/g, "")));
const near = (value) => (value === null ? null : Number(value));

const SECTIONS = ["story", "chronic", "tiles", "trend", "meetings", "causes", "sites", "rooms", "networks", "versions", "cpu", "coverage", "method"];

test("every section is there, the story first", async () => {
  const tab = await open();
  const order = await tab.$$eval("main section", (found) => found.map((one) => one.id));
  assert.deepEqual(order, SECTIONS.map((section) => `s-${section}`));
  // The week and the week before.
  assert.equal(await tab.$$eval(".trend li", (found) => found.length), 14);
  assert.match(await tab.title(), /2 November 2026/);
  await tab.closeClean();
});

test("everything that matters is readable without scripts, in both languages", async () => {
  const wanted = await open();
  const read = (tab) => tab.evaluate(() => Object.fromEntries([...document.querySelectorAll("main section")].map((one) => [one.id, one.innerText.replace(/\s+/g, " ")])));
  const withScripts = await read(wanted);
  await wanted.closeClean();
  for (const [language, chinese] of [["en", false], ["zh", true]]) {
    const path = language === "en" ? file : page(world, "week-zh.html", "--period", "week", "--date", FIRST_DAY, "--language", "zh");
    const tab = await open(path, { scripts: false });
    const without = await tab.evaluate(() => Object.fromEntries([...document.querySelectorAll("main section")].map((one) => [one.id, one.innerText.replace(/\s+/g, " ")])));
    for (const section of SECTIONS) {
      assert.ok(without[`s-${section}`].length > 20, `${language} ${section}`);
      if (!chinese) assert.equal(without[`s-${section}`].toLowerCase(), withScripts[`s-${section}`].toLowerCase(), section);
      else assert.match(without[`s-${section}`], /[\u4e00-\u9fff]/, section);
    }
    assert.ok(await tab.$$eval("#t-sites tbody tr", (found) => found.length) > 2);
    // The numbers and names themselves, not only the sections.
    const rows = report(world, "scorecard", { ...WEEK, before_since: EARLIEST, before_until: FIRST_DAY });
    for (const measure of ["poor_minutes", "affected_participants", "poor_meetings", "coverage"]) {
      const digits = measure === "poor_meetings" ? 0 : 1;
      const value = rows.find((one) => one.measure === measure).value;
      if (value === null) continue;
      const wanted = value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
      assert.ok((await tab.$eval(`#tile-${measure}`, (tile) => tile.innerText)).includes(wanted), `${language} ${measure} ${wanted}`);
    }
    for (const incident of report(world, "incidents", WEEK)) {
      const command = `vcq-etl report incident ${incident.incident_id}`;
      assert.ok((await tab.$$eval("#s-story code, #s-chronic code", (found) => found.map((one) => one.textContent))).includes(command), command);
    }
    const first = report(world, "by-site", { ...WEEK, min_n: 60 })[0];
    assert.ok(without["s-sites"].includes(first.n.toLocaleString("en-GB")), `${language} sites`);
    assert.match(without["s-coverage"], chinese ? /没有飞书的会议统计/ : /no meeting count of Feishu/, language);
    // The switch needs no script either.
    await tab.click(`label[for="lang-${chinese ? "en" : "zh"}"]`);
    assert.equal(/[\u4e00-\u9fff]/.test(await tab.$eval("#s-story h2", (head) => head.innerText)), !chinese);
    await tab.close();
  }
});

test("an incident opens by keyboard and by its address", async () => {
  const tab = await open();
  const incidents = report(world, "incidents", WEEK);
  const rows = await texts(tab, ".incident .say");
  const chronic = await bodyRows(tab, "chronic").catch(() => []);
  const isPersonal = (row) => row.kind === "chronic" && ["person", "room"].includes(row.scope_kind);
  assert.equal(chronic.length, incidents.filter(isPersonal).length);
  assert.equal(rows.length, incidents.length - chronic.length);
  assert.ok(rows.length > 0 && chronic.length > 0, `${rows.length} in the story, ${chronic.length} with chronic trouble`);
  await tab.focus(".incident summary");
  await tab.keyboard.press("Enter");
  assert.equal(await tab.$eval(".incident", (one) => one.open), true);
  const facts = await tab.$eval(".incident dl", (one) => one.innerText);
  const [first] = incidents.filter((row) => !isPersonal(row));
  assert.ok(facts.includes(`vcq-etl report incident ${first.incident_id}`), facts);
  const bar = await (await tab.$(".incident .track i")).boundingBox();
  const track = await (await tab.$(".incident .track")).boundingBox();
  assert.ok(bar.x >= track.x - 1 && bar.x + bar.width <= track.x + track.width + 8, "the bar is on the strip");
  const id = await tab.$eval(".incident", (one) => one.id);
  await tab.keyboard.press("Space");
  assert.equal(await tab.$eval(".incident", (one) => one.open), false);
  await tab.evaluate((to) => { location.hash = to; }, `#${id}`);
  await tab.waitForSelector(`#${id}[open]`);
  // The bars are at the times of the incidents.
  const hours = (from, to) => (Date.parse(`${to.replace(" ", "T").slice(0, 19)}Z`) - Date.parse(`${from}T00:00:00Z`)) / 3600000;
  const left = 100 * hours(FIRST_DAY, first.start_time_local) / (7 * 24);
  assert.ok(Math.abs(left - await tab.$eval(".incident .track i", (one) => parseFloat(one.style.left))) < 0.1, `the bar begins at ${left} %`);
  await tab.closeClean();
});

test("the tiles show the scorecard", async () => {
  const tab = await open();
  const rows = report(world, "scorecard", { ...WEEK, before_since: EARLIEST, before_until: FIRST_DAY });
  for (const measure of ["poor_minutes", "affected_participants", "poor_meetings", "coverage"]) {
    const row = rows.find((one) => one.measure === measure);
    const value = await tab.$eval(`#tile-${measure} .value`, (box) => box.firstChild.textContent);
    const digits = measure === "poor_meetings" ? 0 : 1;
    if (row.value === null) assert.match(value, /not enough data/);
    else assert.equal(value, row.value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }), measure);
    assert.equal(row.held_days, 7);
    const change = Math.abs(row.change).toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    const said = row.change === 0 ? "the same as" : `${change}${digits ? "\\spp" : ""} ${row.change > 0 ? "more" : digits ? "less" : "fewer"} than`;
    assert.match(await tab.$eval(`#tile-${measure} .delta`, (box) => box.innerText), new RegExp(`^${said} the week before$`));
  }
  await tab.closeClean();
});

test("the tables show the rows of the reports", async () => {
  const tab = await open();
  const judged = { ...WEEK, min_n: 60 };
  const cases = [
    ["meetings", "worst-meetings", { ...judged, top: 20 }, ["participants", "affected", "n", "poor", "poor_pct"]],
    ["causes", "diagnosis", WEEK, ["poor", "poor_pct", "people", "meetings"]],
    ["sites", "by-site", judged, ["people", "hours", "n", "poor", "poor_pct", "of_all_poor_pct"]],
    ["rooms", "room-health", judged, ["meetings", "n", "poor", "poor_pct", "days_affected", "mos_p10"]],
    ["networks", "by-network", judged, ["people", "n", "poor_pct", "streams", "audio_streams_pct"]],
    ["versions", "app-versions", judged, ["people", "n", "poor", "poor_pct"]],
    ["cpu", "cpu-hogs", judged, ["n", "cpu", "cpu_pct"]],
  ];
  for (const [id, name, params, columns] of cases) {
    const rows = report(world, name, params);
    assert.ok(rows.length > 0, `${name} has rows`);
    await showAll(tab, id);
    const heads = await tab.$$eval(`#t-${id} thead th`, (found) => found.map((head) => head.dataset.key));
    let table = await bodyRows(tab, id);
    if (id === "sites") {
      // Places with one person each are folded in a table of their own.
      const all = [...table, ...(await bodyRows(tab, "sites-single"))];
      table = rows.map((row) => all.find((cells) => cells[0] === row.site));
      assert.equal(all.length, rows.length, id);
    }
    assert.equal(table.length, rows.length, id);
    rows.forEach((row, at) => {
      for (const column of columns) {
        const where = heads.indexOf(column);
        assert.notEqual(where, -1, `${id} has a column ${column}`);
        assert.equal(shown(table[at][where]), near(row[column]), `${id}, row ${at + 1}, ${column}`);
      }
    });
  }
  const coverage = report(world, "coverage", WEEK).filter((row) => row.status === "all");
  const days = await bodyRows(tab, "coverage-days");
  assert.deepEqual(days.map((row) => row.slice(1, 4).map(shown)), coverage.map((row) => [row.rows, row.expected_min, row.samples]));
  await tab.closeClean();
});

/** How the document shows text from outside: on one line, without control characters, and not too long. */
const shownText = (text) => {
  const plain = text.replace(/[\n\r\t]/g, " ").replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff]/g, "\ufffd");
  return plain.length > 300 ? plain.slice(0, 300) + "…" : plain;
};

test("untrusted text stays text in tables, meeting pages and tooltips", async () => {
  const source = readFileSync(file, "utf8");
  assert.ok(!source.includes("window.hacked=1</script>") && !source.includes("<img src=x"), "markup is escaped in the file");
  const tab = await open();
  await showAll(tab, "meetings");
  const topics = await tab.$$eval("#t-meetings tbody a", (found) => found.map((link) => link.textContent));
  const planted = topics.filter((topic) => UNTRUSTED.some((text) => shownText(text) === topic));
  assert.ok(planted.length >= 5, `untrusted topics among the worst meetings: ${planted.length} of ${topics.length}`);
  assert.equal(await tab.$$eval("body img, main script, #minutes script, svg[onload]", (found) => found.length), 0);
  for (let at = 1; at <= Math.min(topics.length, 12); at += 1) {
    await tab.evaluate((to) => { location.hash = `#meeting-${to}`; }, at);
    await tab.waitForSelector(".lane");
    await tab.hover(".lane");
    const head = await tab.$eval("#minutes h1 bdi", (one) => one.textContent);
    assert.equal(shownText(head), topics[at - 1]);
    assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `meeting ${at} is not wider than the window`);
  }
  await tab.closeClean();
});

test("the trend shows each day's numbers", async () => {
  const tab = await open();
  const days = report(world, "daily-summary", { ...WEEK, min_n: 60 });
  const said = await texts(tab, ".trend li .said");
  for (const day of days) {
    const wanted = day.n.toLocaleString("en-GB");
    assert.ok(said.some((text) => text.includes(wanted) && text.includes(`${day.poor_pct >= 9.95 ? day.poor_pct.toFixed(0) : day.poor_pct.toFixed(1)} %`)), `${day.date}: ${wanted} in\n${said.join("\n")}`);
  }
  await tab.hover(".trend li:nth-child(2)");
  await tab.waitForFunction(() => getComputedStyle(document.querySelector(".trend li:nth-child(2) .said")).opacity === "1");
  await tab.closeClean();
});

test("the language switch translates the whole page", async () => {
  const tab = await open();
  assert.match(await tab.$eval("#title", (head) => head.innerText), /Meeting quality/);
  await tab.click('label[for="lang-zh"]');
  assert.equal(await tab.$eval("html", (root) => root.lang), "zh-CN");
  assert.match(await tab.$eval("#title", (head) => head.innerText), /会议质量周报/);
  for (const text of [...(await texts(tab, "h2:not(#h-cpu)")), ...(await texts(tab, "thead th")), ...(await texts(tab, ".tile .name"))]) {
    assert.match(text, /[\u4e00-\u9fff]|^(CPU p95|t|)$/, text);
  }
  assert.match(await tab.title(), /会议质量周报/);
  const percentages = (await texts(tab, "main")).join(" ");
  assert.ok(/\d%/.test(percentages) && !/\d\s%/.test(percentages), "no space before a percent sign in Chinese");
  // By keyboard too: the radio buttons are the first stop.
  await tab.focus("#lang-zh");
  await tab.keyboard.press("ArrowLeft");
  assert.equal(await tab.$eval("html", (root) => root.lang), "en");
  await tab.keyboard.press("ArrowRight");
  assert.equal(await tab.$eval("html", (root) => root.lang), "zh-CN");
  await tab.click('label[for="lang-en"]');
  assert.ok((await texts(tab, "h2")).includes("Worst meetings"));
  await tab.closeClean();
});

test("dark and light follow the system and the switch, with enough contrast", async () => {
  const contrast = (tab) => tab.evaluate(() => {
    const light = (text) => {
      const [r, g, b] = text.match(/[\d.]+/g).slice(0, 3).map((part) => { const c = part / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = light(getComputedStyle(document.querySelector(".tile")).backgroundColor);
    return [".tile .value", ".tile .of", ".tile .name", "td", "thead th button", ".note", ".meta", ".verdict", ".trend .label", "a[href^='#meeting']"].map((selector) => {
      const ink = light(getComputedStyle(document.querySelector(selector)).color);
      return [selector, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)];
    });
  });
  for (const scheme of ["dark", "light"]) {
    const tab = await open(file, { scheme });
    const now = () => tab.$eval("html", (root) => root.dataset.theme);
    assert.equal(await now(), undefined, "the style sheet follows the system");
    assert.equal(await tab.$eval(`[data-choice="theme-${scheme}"]`, (button) => button.getAttribute("aria-pressed")), "true");
    for (const [selector, ratio] of await contrast(tab)) assert.ok(ratio >= 4.5, `${scheme} ${selector}: ${ratio.toFixed(2)}`);
    const other = scheme === "dark" ? "light" : "dark";
    await tab.click(`[data-choice="theme-${other}"]`);
    assert.equal(await now(), other);
    await tab.closeClean();
  }
});

test("tables sort by keyboard and set aria-sort", async () => {
  const tab = await open();
  await showAll(tab, "sites");
  const keys = await tab.$$eval("#t-sites thead th", (found) => found.map((head) => head.dataset.key));
  const column = async () => (await bodyRows(tab, "sites")).map((row) => shown(row[keys.indexOf("n")]));
  const head = '#t-sites th[data-key="n"]';
  await tab.focus(`${head} button`);
  await tab.keyboard.press("Enter");
  assert.equal(await tab.$eval(head, (cell) => cell.getAttribute("aria-sort")), "descending");
  const down = await column();
  assert.deepEqual(down, [...down].sort((a, b) => b - a));
  await tab.keyboard.press("Space");
  assert.equal(await tab.$eval(head, (cell) => cell.getAttribute("aria-sort")), "ascending");
  assert.deepEqual(await column(), [...down].sort((a, b) => a - b));
  assert.equal(await tab.$$eval("#t-sites th[aria-sort]", (found) => found.length), 1);
  // Values hidden for a small n come last in both directions.
  const share = '#t-sites th[data-key="poor_pct"]';
  for (const direction of ["descending", "ascending"]) {
    await tab.focus(`${share} button`);
    await tab.keyboard.press("Enter");
    assert.equal(await tab.$eval(share, (cell) => cell.getAttribute("aria-sort")), direction);
    const values = (await bodyRows(tab, "sites")).map((row) => shown(row[keys.indexOf("poor_pct")]));
    const known = values.filter((value) => value !== null);
    assert.deepEqual(values.slice(0, known.length), known);
    assert.deepEqual(known, [...known].sort((a, b) => (direction === "ascending" ? a - b : b - a)));
  }
  await tab.closeClean();
});

test("a meeting opens by keyboard and describes each minute", async () => {
  const tab = await open();
  await tab.focus('#t-meetings tbody a[href="#meeting-1"]');
  await tab.keyboard.press("Enter");
  await tab.waitForSelector(".lane");
  assert.equal(await tab.evaluate(() => document.activeElement.tagName), "H1");
  const [worst] = report(world, "worst-meetings", { ...WEEK, min_n: 60, top: 1 });
  const timeline = report(world, "meeting-timeline", { ...WEEK, meeting_no: worst.meeting_no });
  const facts = await tab.$eval(".facts", (box) => box.innerText);
  assert.ok(facts.includes(worst.meeting_no) && facts.includes(`${worst.poor.toLocaleString("en-GB")} of ${worst.n.toLocaleString("en-GB")} min`), facts);
  await tab.focus(".lane");
  await tab.keyboard.press("Home");
  // Every minute of the first row, by keyboard, compared with the report.
  const person = await tab.$eval(".lane", (box) => box.getAttribute("aria-label"));
  const length = 1 + Number(await tab.$eval(".lane", (box) => box.getAttribute("aria-valuemax")));
  let poor = 0;
  for (let at = 0; at < length; at += 1) {
    const said = await tab.$eval(".lane", (box) => box.getAttribute("aria-valuetext"));
    const clock = said.slice(0, 5);
    const rows = timeline.filter((row) => row.who === person && row.minute.slice(11, 16) === clock && row.minute >= worst.start.slice(0, 16));
    const verdicts = rows.map((row) => row.verdict ?? "no verdict");
    assert.ok(rows.length === 0 ? / no data/.test(said) : verdicts.some((verdict) => said.includes(verdict)), `${said} is one of ${JSON.stringify(rows.map((row) => [row.minute, row.verdict]))}`);
    if (/ poor/.test(said.split(";")[0])) {
      poor += 1;
      assert.ok(rows.some((row) => row.delay_ms === null || said.includes(`Delay ${Math.round(row.delay_ms)}`)), said);
    }
    await tab.keyboard.press("ArrowRight");
  }
  assert.ok(poor > 0);
  assert.ok((await tab.$eval(".readout", (box) => box.innerText)).length > 10);
  await tab.keyboard.press("ArrowDown");
  assert.notEqual(await tab.evaluate(() => document.activeElement.getAttribute("aria-label")), null);
  await tab.keyboard.press("Escape");
  await tab.waitForSelector("#t-meetings", { visible: true });
  assert.equal(await tab.evaluate(() => document.activeElement.getAttribute("href")), "#meeting-1", "the focus returns");
  await tab.closeClean();
});

test("a link to a missing meeting says so", async () => {
  const tab = await open(file, { hash: "#meeting-999" });
  assert.match(await tab.$eval("#minutes", (box) => box.innerText), /not on this page/);
  await tab.closeClean();
});

test("a width of 360 pixels is enough in both languages", async () => {
  for (const hash of ["", "#meeting-1"]) {
    const tab = await open(file, { width: 360, hash });
    for (const language of ["en", "zh"]) {
      await tab.click(`label[for="lang-${language}"]`);
      const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 360, `${hash} ${language}: ${wide}`);
      if (hash) continue;
      // Verdict and cause on the first screen.
      const chronic = await tab.$eval("#s-chronic .scroll", (box) => box.scrollWidth - box.clientWidth);
      assert.ok(chronic <= 0, `the table of chronic trouble is ${chronic} pixels too wide`);
      const verdict = await (await tab.$(".verdict")).boundingBox();
      assert.ok(verdict.y + verdict.height < 640 && verdict.x + verdict.width <= 360, `the verdict ends at ${verdict.y + verdict.height}`);
      const says = await tab.$$eval(".say", (found) => found.map((one) => one.getBoundingClientRect().right));
      assert.ok(says.every((right) => right <= 360), `sentences end at ${says}`);
    }
    await tab.closeClean();
  }
});

test("printing is light, begins with the story, and has the selected meetings", async () => {
  const tab = await open(file, { scheme: "dark" });
  const pdf = async () => Buffer.from(await tab.pdf({ format: "A4", printBackground: true })).toString("latin1");
  const overview = await pdf();
  await tab.select("#print-what", "5");
  await tab.evaluate(() => {
    window.addEventListener("beforeprint", () => {
      window.printed = { theme: document.documentElement.dataset.theme, meetings: document.querySelectorAll("#paper article").length };
    });
  });
  const more = await pdf();
  assert.deepEqual(await tab.evaluate(() => window.printed), { theme: "light", meetings: 5 });
  const sheets = (text) => (text.match(/\/Type\s*\/Page\b/g) || []).length;
  assert.ok(sheets(overview) >= 2 && sheets(more) >= sheets(overview) + 4, `${sheets(overview)} and ${sheets(more)} sheets`);
  assert.equal(await tab.$eval("html", (root) => root.dataset.theme), undefined, "the screen is restored");
  assert.equal(await tab.$$eval("#paper article", (found) => found.length), 0);
  // On paper the story begins on the first page, in the upper half.
  await tab.emulateMediaType("print");
  await tab.setViewport({ width: 703, height: 1000 });
  for (const language of ["en", "zh"]) {
    await tab.evaluate((id) => document.getElementById(id).click(), `lang-${language}`);
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 703, `${language}: ${wide} pixels do not fit on A4`);
  }
  const story = await (await tab.$("#s-story .verdict")).boundingBox();
  assert.ok(story.y + story.height < 500, `the verdict ends at ${story.y + story.height}`);
  await tab.emulateMediaType("screen");
  await tab.closeClean();
});

test("an incident beyond the week is marked, and its bar is cut", async () => {
  const day = (text) => text.slice(0, 10);
  for (const [since, until] of [[FIRST_DAY, UNTIL], [EARLIEST, FIRST_DAY]]) {
    const tab = await open(page(world, `beyond-${since}.html`, "--date", since, "--language", "en"));
    const incidents = report(world, "incidents", { since, until }).filter((row) => row.kind === "acute" || !["person", "room"].includes(row.scope_kind));
    const said = await texts(tab, ".incident summary");
    const bars = await tab.$$eval(".incident .track i", (found) => found.map((bar) => [bar.classList.contains("before"), bar.classList.contains("after")]));
    assert.equal(said.length, incidents.length);
    incidents.forEach((row, at) => {
      const [before, after] = [day(row.start_time_local) < since, day(row.end_time_local) >= until];
      assert.deepEqual(bars[at], [before, after], `${row.summary} in the week of ${since}`);
      assert.equal(/began before this week/i.test(said[at]), before, said[at]);
      // A chronic incident has no end.
      assert.equal((row.kind === "acute" ? /continued after/i : /still going on as of/i).test(said[at]), after, said[at]);
    });
    const chronic = report(world, "incidents", { since, until }).filter((row) => row.kind === "chronic" && ["person", "room"].includes(row.scope_kind));
    const outside = chronic.some((row) => day(row.start_time_local) < since || day(row.end_time_local) >= until);
    assert.equal(/also outside this week/.test(await tab.$eval("#s-chronic", (box) => box.innerText)), outside, since);
    await tab.closeClean();
  }
});

test("without an earlier period there is nothing to compare with", async () => {
  const tab = await open(page(world, "first.html", "--date", EARLIEST, "--language", "en"));
  for (const delta of await texts(tab, ".tile .delta")) assert.match(delta, /nothing to compare with/);
  assert.match(await tab.$eval("#s-story", (box) => box.innerText), /only severe incidents can be found/);
  await tab.closeClean();
});

test("an empty period and one with gaps have a banner", async () => {
  const empty = await open(page(world, "empty.html", "--date", "2027-03-01", "--language", "en"));
  assert.match(await empty.$eval(".banner.bad", (box) => box.innerText), /No data for this period[\s\S]*the store holds 2026-10-26/);
  assert.equal(await empty.$(".tiles"), null);
  await empty.closeClean();
  // A page per day: the banner is there exactly if the scorecard's coverage target is missed.
  for (const day of [2, 4]) {
    const since = `2026-11-0${day}`;
    const params = { since, until: `2026-11-0${day + 1}`, before_since: `2026-10-${24 + day}`, before_until: `2026-10-${25 + day}` };
    const coverage = report(world, "scorecard", params).find((row) => row.measure === "coverage");
    const tab = await open(page(world, `${since}.html`, "--period", "day", "--date", since, "--language", "en"));
    const banner = await tab.$eval("main", (box) => box.querySelector(".banner.bad")?.innerText ?? "");
    assert.equal(/The data of this period is incomplete/.test(banner), coverage.verdict === "missed", `${since}: ${coverage.value}`);
    const said = await tab.$eval("#s-story", (box) => box.innerText);
    assert.equal(/missing or incomplete/.test(said), coverage.verdict === "missed", said);
    await tab.closeClean();
  }
});

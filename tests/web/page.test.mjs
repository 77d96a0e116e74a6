// The HTML page in a real browser: what it draws, what it says, and that untrusted text does nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";
import { FIRST_DAY, UNTRUSTED, UNTIL, page, report, tenant } from "./tenant.mjs";

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
async function open(path = file, { hash = "", width = 1280, scheme = "light" } = {}) {
  const tab = await browser.newPage();
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
  await tab.waitForSelector("main .wrap");
  tab.closeClean = async () => {
    assert.deepEqual(await tab.evaluate(() => window.violations), []);
    assert.equal(await tab.evaluate(() => window.hacked), undefined, "untrusted text was executed");
    assert.deepEqual(wrong, []);
    await tab.close();
  };
  return tab;
}
const texts = (tab, selector) => tab.$$eval(selector, (found) => found.map((one) => one.textContent.replace(/\s+/g, " ").trim()));
const bodyRows = (tab, id) => tab.$$eval(`#t-${id} tbody tr`, (found) => found.map((row) => [...row.cells].map((cell) => cell.innerText.replace(/\s+/g, " ").trim())));
async function showAll(tab, id) {
  const button = await tab.evaluateHandle((name) => document.getElementById("t-" + name).closest("section").querySelector(".more:not([hidden])"), id);
  if (button.asElement()) await button.asElement().click();
}
/** The number that a cell shows. */
const shown = (text) => (text === "" || text === "–" ? null : Number(text.replace(/[,\s%]|ms/g, "")));
const near = (value) => (value === null ? null : Number(value));

test("every section and every chart is rendered", async () => {
  const tab = await open();
  for (const section of ["trend", "heat", "meetings", "causes", "sites", "rooms", "networks", "versions", "coverage", "method"]) {
    assert.ok(await tab.$(`#s-${section}`), section);
  }
  for (const chart of ["trend", "causes", "sites", "networks", "versions", "coverage"]) {
    const shapes = await tab.$$eval(`#chart-${chart} svg path`, (found) => found.length);
    assert.ok(shapes > 3, `${chart} has ${shapes} shapes`);
    assert.ok(await tab.$eval(`#chart-${chart}`, (box) => box.getAttribute("aria-label").length > 10), chart);
  }
  assert.match(await tab.title(), /2 November 2026/);
  await tab.closeClean();
});

test("the tiles show the scorecard", async () => {
  const tab = await open();
  const rows = report(world, "scorecard", { ...WEEK, before_since: "2026-10-26", before_until: FIRST_DAY });
  assert.ok(rows.length >= 10);
  const digits = { poor_meetings: 0, mos_p50: 2 };
  for (const row of rows.filter((one) => !["meetings", "participants", "mos_p10", "covered"].includes(one.measure))) {
    const value = await tab.$eval(`#tile-${row.measure} .value`, (box) => box.firstChild.textContent);
    if (row.value === null) assert.equal(value, "too few", row.measure);
    else assert.equal(value, row.value.toLocaleString("en-GB", { minimumFractionDigits: digits[row.measure] ?? 1, maximumFractionDigits: digits[row.measure] ?? 1 }), row.measure);
    const pill = await tab.$eval(`#tile-${row.measure}`, (box) => box.querySelector(".pill")?.innerText ?? null);
    assert.equal(pill && pill.replace(/^\W+/, ""), row.verdict, row.measure);
  }
  await tab.closeClean();
});

test("the tables show the rows of the reports", async () => {
  const tab = await open();
  const judged = { ...WEEK, min_n: 60 };
  const cases = [
    ["days", "daily-summary", judged, ["meetings", "hours", "n", "poor_pct", "audio_streams_pct", "affected_pct", "poor_meetings", "mos_p50", "coverage_pct"]],
    ["meetings", "worst-meetings", { ...judged, top: 20 }, ["participants", "affected", "n", "poor", "poor_pct"]],
    ["causes", "diagnosis", WEEK, ["poor", "poor_pct", "people", "meetings"]],
    ["sites", "by-site", judged, ["people", "hours", "n", "poor", "poor_pct", "of_all_poor_pct"]],
    ["rooms", "room-health", judged, ["meetings", "n", "poor", "poor_pct", "days_affected", "mos_p10"]],
    ["networks", "by-network", judged, ["people", "n", "poor_pct", "streams", "audio_streams_pct"]],
    ["versions", "app-versions", judged, ["people", "n", "poor", "poor_pct"]],
  ];
  for (const [id, name, params, columns] of cases) {
    const rows = report(world, name, params);
    assert.ok(rows.length > 0, `${name} has rows`);
    await showAll(tab, id);
    const heads = await tab.$$eval(`#t-${id} thead th`, (found) => found.map((head) => head.dataset.key));
    const table = await bodyRows(tab, id);
    assert.equal(table.length, rows.length, id);
    rows.forEach((row, at) => {
      for (const column of columns) {
        const where = heads.indexOf(column);
        assert.notEqual(where, -1, `${id} has a column ${column}`);
        assert.equal(shown(table[at][where]), near(row[column]), `${id}, row ${at + 1}, ${column}`);
      }
    });
  }
  const heat = report(world, "heatmap", judged);
  const cells = await tab.$$eval("#t-heatmap td:not(.nil)", (found) => found.map((cell) => cell.innerText));
  assert.deepEqual(cells, heat.map((row) => (row.poor_pct === null ? "·" : row.poor_pct.toFixed(row.poor_pct >= 10 ? 0 : 1))));
  const coverage = report(world, "coverage", WEEK).filter((row) => row.status === "all");
  const days = await bodyRows(tab, "coverage");
  assert.deepEqual(days.map((row) => row.slice(1, 4).map(shown)), coverage.map((row) => [row.rows, row.expected_min, row.samples]));
  await tab.closeClean();
});

test("untrusted text stays text in tables, meeting pages and tooltips", async () => {
  const source = readFileSync(file, "utf8");
  assert.ok(!source.includes("window.hacked=1</script>") && !source.includes("<img src=x"), "markup is escaped in the file");
  const tab = await open();
  await showAll(tab, "meetings");
  const topics = await tab.$$eval("#t-meetings tbody a", (found) => found.map((link) => link.textContent));
  const planted = topics.filter((topic) => UNTRUSTED.includes(topic));
  assert.ok(planted.length >= 5, `untrusted topics among the worst meetings: ${planted.length} of ${topics.length}`);
  assert.equal(await tab.$$eval("main img, main script, main svg[onload]", (found) => found.length), 0);
  for (const chart of ["trend", "causes", "sites", "networks", "versions", "coverage"]) {
    await tab.$eval(`#chart-${chart}`, (box) => box.scrollIntoView({ block: "center" }));
    const box = await (await tab.$(`#chart-${chart}`)).boundingBox();
    for (let at = 0.1; at < 1; at += 0.2) await tab.mouse.move(box.x + box.width * at, box.y + box.height * 0.55);
  }
  for (let at = 1; at <= Math.min(topics.length, 12); at += 1) {
    await tab.evaluate((to) => { location.hash = `#meeting-${to}`; }, at);
    await tab.waitForSelector(".lane");
    await tab.hover(".lane");
    assert.equal(await tab.$eval("main h1 bdi", (head) => head.textContent), topics[at - 1]);
    assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `meeting ${at} is not wider than the window`);
  }
  await tab.closeClean();
});

test("the trend chart shows a day's numbers in a tooltip", async () => {
  const tab = await open();
  const days = report(world, "daily-summary", { ...WEEK, min_n: 60 });
  await tab.$eval("#chart-trend", (one) => one.scrollIntoView({ block: "center" }));
  const box = await (await tab.$("#chart-trend")).boundingBox();
  const seen = [];
  for (let x = box.x + 50; x < box.x + box.width - 20; x += 25) {
    await tab.mouse.move(x, box.y + box.height / 2);
    seen.push(await tab.$eval("#chart-trend .tipbox", (tip) => tip.innerText).catch(() => ""));
  }
  for (const day of days) {
    const wanted = day.n.toLocaleString("en-GB");
    assert.ok(seen.some((text) => text.includes(wanted) && text.includes(`${day.poor_pct.toFixed(1)}\u00a0%`)), `${day.date}: ${wanted} in\n${seen.join("\n--\n")}`);
  }
  await tab.closeClean();
});

test("the language switch translates the whole page", async () => {
  const tab = await open();
  assert.match(await tab.$eval("#title", (head) => head.textContent), /Meeting quality/);
  await tab.click('[data-choice="language-zh"]');
  assert.equal(await tab.$eval("html", (root) => root.lang), "zh-CN");
  assert.match(await tab.$eval("#title", (head) => head.textContent), /会议质量周报/);
  for (const text of [...(await texts(tab, "h2")), ...(await texts(tab, "thead th button")), ...(await texts(tab, ".tile .name"))]) {
    assert.match(text, /[\u4e00-\u9fff]|^(CPU p95|t)$/, text);
  }
  assert.equal(await tab.evaluate(() => document.activeElement.dataset.choice), "language-zh", "the focus is kept");
  await tab.click('[data-choice="language-en"]');
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
    return [".tile .value", ".tile .of", ".tile .name", "td", "thead th button", ".note", ".meta", "a[href^='#meeting']"].map((selector) => {
      const ink = light(getComputedStyle(document.querySelector(selector)).color);
      return [selector, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)];
    });
  });
  for (const scheme of ["dark", "light"]) {
    const tab = await open(file, { scheme });
    const now = () => tab.$eval("html", (root) => root.dataset.theme);
    assert.equal(await now(), scheme);
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
  const column = async () => (await bodyRows(tab, "sites")).map((row) => shown(row[3]));
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
    const values = (await bodyRows(tab, "sites")).map((row) => shown(row[5]));
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
  await tab.waitForSelector("#t-meetings");
  assert.equal(await tab.evaluate(() => document.activeElement.getAttribute("href")), "#meeting-1", "the focus returns");
  await tab.closeClean();
});

test("a link to a missing meeting says so", async () => {
  const tab = await open(file, { hash: "#meeting-999" });
  assert.match(await tab.$eval("main", (box) => box.innerText), /not on this page/);
  await tab.closeClean();
});

test("the heat map moves by arrow keys", async () => {
  const tab = await open();
  assert.equal(await tab.$$eval('#t-heatmap td[tabindex="0"]', (found) => found.length), 1);
  await tab.focus('#t-heatmap td[tabindex="0"]');
  const first = await tab.evaluate(() => document.activeElement.getAttribute("aria-label"));
  await tab.keyboard.press("ArrowRight");
  const next = await tab.evaluate(() => document.activeElement.getAttribute("aria-label"));
  assert.notEqual(next, first);
  assert.match(next, /judged minutes/);
  assert.equal(await tab.$eval("#tip", (tip) => tip.hidden), false);
  await tab.keyboard.press("Escape");
  assert.equal(await tab.$eval("#tip", (tip) => tip.hidden), true);
  await tab.closeClean();
});

test("a width of 360 pixels is enough in both languages", async () => {
  for (const hash of ["", "#meeting-1"]) {
    const tab = await open(file, { width: 360, hash });
    for (const language of ["en", "zh"]) {
      await tab.click(`[data-choice="language-${language}"]`);
      const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 360, `${hash} ${language}: ${wide}`);
    }
    await tab.closeClean();
  }
});

test("printing is light, with complete charts and the selected meetings", async () => {
  const tab = await open(file, { scheme: "dark" });
  const pdf = async () => Buffer.from(await tab.pdf({ format: "A4", printBackground: true })).toString("latin1");
  const overview = await pdf();
  await tab.select("#print-what", "5");
  await tab.evaluate(() => {
    window.addEventListener("beforeprint", () => {
      window.printed = {
        theme: document.documentElement.dataset.theme,
        meetings: document.querySelectorAll("#paper article").length,
        charts: [...document.querySelectorAll(".chart svg")].map((picture) => picture.getAttribute("viewBox")),
      };
    });
  });
  const more = await pdf();
  const printed = await tab.evaluate(() => window.printed);
  assert.equal(printed.theme, "light");
  assert.equal(printed.meetings, 5);
  assert.ok(printed.charts.length >= 6 && printed.charts.every((box) => /^0 0 680 /.test(box)), JSON.stringify(printed.charts));
  const sheets = (text) => (text.match(/\/Type\s*\/Page\b/g) || []).length;
  assert.ok(sheets(overview) >= 3 && sheets(more) >= sheets(overview) + 4, `${sheets(overview)} and ${sheets(more)} sheets`);
  assert.equal(await tab.$eval("html", (root) => root.dataset.theme), "dark", "the screen is restored");
  assert.equal(await tab.$$eval("#paper article", (found) => found.length), 0);
  await tab.closeClean();
});

test("an empty period and one with gaps have a banner", async () => {
  const empty = await open(page(world, "empty.html", "--date", "2027-03-01", "--language", "en"));
  assert.match(await empty.$eval(".banner.bad", (box) => box.innerText), /No data for this period[\s\S]*the store holds 2026-11-02/);
  assert.equal(await empty.$(".tiles"), null);
  await empty.closeClean();
  // A page per day: the banner is there exactly if the scorecard's coverage target is missed.
  for (let day = 2; day <= 6; day += 1) {
    const since = `2026-11-0${day}`;
    const params = { since, until: `2026-11-0${day + 1}`, before_since: `2026-10-${24 + day}`, before_until: `2026-10-${25 + day}` };
    const coverage = report(world, "scorecard", params).find((row) => row.measure === "coverage");
    const tab = await open(page(world, `${since}.html`, "--period", "day", "--date", since, "--language", "en"));
    const banner = await tab.$eval("main", (box) => box.querySelector(".banner.bad")?.innerText ?? "");
    assert.equal(/The data of this period is incomplete/.test(banner), coverage.verdict === "missed", `${since}: ${coverage.value}`);
    if (coverage.verdict === "missed") assert.ok(banner.includes(`${coverage.value.toFixed(1)}\u00a0%`), banner);
    await tab.closeClean();
  }
});

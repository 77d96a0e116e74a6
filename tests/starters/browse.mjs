// Opens a page of a starter in Chromium, saves a picture, and prints what it showed as JSON.
//
//   node browse.mjs URL PICTURE [PASSWORD_FILE]      with a password, logs in to Superset first
import { readFileSync } from "node:fs";
import { launch } from "../web/browser.mjs";

const [url, picture, passwordFile] = process.argv.slice(2);
const PATIENCE_MS = 240_000;
const browser = await launch();
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.setViewport({ width: 1200, height: 900 });
  if (passwordFile) {
    await page.goto(new URL("/login/", url).href, { waitUntil: "networkidle2" });
    await page.waitForSelector("input[type=password]");
    // The form is drawn twice; what is typed before the second time is lost.
    await new Promise((later) => setTimeout(later, 3000));
    const [name] = await page.$$("input:not([type=password]):not([type=hidden])");
    await name.click();
    await name.type("admin", { delay: 20 });
    await page.click("input[type=password]");
    await page.type("input[type=password]", readFileSync(passwordFile, "utf8").trim(), { delay: 20 });
    await Promise.all([page.waitForNavigation({ waitUntil: "networkidle2" }), page.keyboard.press("Enter")]);
  }
  const charts = {};
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("response", async (response) => {
    const path = new URL(response.url()).pathname;
    if (response.status() >= 400 && path.startsWith("/api/")) problems.push(`${response.status()} ${path}`);
    if (path === "/api/v1/chart/data" && response.status() === 200) {
      const { result } = await response.json();
      const form = response.request().postData() ? JSON.parse(response.request().postData()) : {};
      charts[form.form_data?.slice_id ?? path] = result.reduce((rows, one) => rows + one.rowcount, 0);
    }
  });
  await page.goto(url, { waitUntil: "networkidle2", timeout: PATIENCE_MS });
  // Charts further down load when they come into view, so the window is made as high as the page.
  const height = await page.evaluate(() => Math.max(...[...document.querySelectorAll("*")].map((node) => node.scrollHeight)));
  await page.setViewport({ width: 1200, height: Math.min(height + 50, 4000) });
  await page.waitForNetworkIdle({ idleTime: 4000, timeout: PATIENCE_MS });
  await page.screenshot({ path: picture });
  const text = await page.evaluate(() => document.body.innerText);
  console.log(JSON.stringify({ title: await page.title(), charts, problems, text }));
} finally {
  await browser.close();
}

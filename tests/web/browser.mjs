// Finds a Chromium: $CHROMIUM, else one of the system, else the one from npm (CHROMIUM=npm selects it).
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import puppeteer from "puppeteer-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function onPath() {
  for (const folder of (process.env.PATH || "").split(delimiter)) {
    for (const name of NAMES) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch { /* not here */ }
    }
  }
  return null;
}

async function fromNpm() {
  // The package unpacks the libraries that a minimal Debian lacks only if it believes that it runs on AWS Lambda.
  process.env.AWS_EXECUTION_ENV ||= "AWS_Lambda_nodejs22.x";
  let chromium;
  try {
    ({ default: chromium } = await import("@sparticuz/chromium"));
  } catch (error) {
    throw new Error("no browser: set CHROMIUM, install Chromium (Debian: apt-get install chromium), or run npm ci in tests/web", { cause: error });
  }
  return { executablePath: await chromium.executablePath(), args: ["--no-sandbox", "--no-zygote"], headless: "shell" };
}

export async function launch() {
  const named = process.env.CHROMIUM;
  const path = named && named !== "npm" ? named : named === "npm" ? null : onPath();
  // The pages are our own; a sandbox needs permissions that a container does not have.
  const options = path ? { executablePath: path, args: ["--no-sandbox"], headless: true } : await fromNpm();
  return puppeteer.launch(options);
}

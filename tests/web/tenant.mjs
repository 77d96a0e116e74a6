// A real store for the pages: the binary's simulator and sync, with a proxy that puts untrusted text into the responses.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(import.meta.url), "../../..");
export const binary = process.env.VCQ_ETL || join(process.env.CARGO_TARGET_DIR || join(root, "target"), "release", "vcq-etl");

/** A Monday; the pages are about this week. */
export const FIRST_DAY = "2026-11-02";
export const UNTIL = "2026-11-09";
/** The tenant has the week before too: incidents are judged by what is usual. */
export const EARLIEST = "2026-10-26";
/** Two for the story, in this week, and two for the table of chronic trouble. */
const INCIDENTS = "service:jitter:hours,site:loss:150min,room:loss:chronic,person:cpu:chronic";

/** Text with a meaning in some format. It replaces topics and names in rotation. */
export const UNTRUSTED = [
  "</script><script>window.hacked=1;alert(1)</script>",
  "<img src=x onerror=\"window.hacked=1\">",
  "=1+1",
  "\u202egnp.exe\u202c \u2066isolate",
  "<svg/onload=window.hacked=1>",
  "&lt;b&gt; &amp; \"quoted\" 'twice' `back` ${window.hacked=1} {{7*7}} {poor}",
  "x".repeat(10000),
  "line\nbreak\u2028separator\u0000nul\u001b[31m",
  "javascript:window.hacked=1",
  "<!-- <script> --> ]]>",
  "会议 \ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67 שלום",
];

function replaceTexts(text) {
  let count = 0;
  const seen = new Map();
  const replacement = (value) => {
    if (!seen.has(value)) seen.set(value, UNTRUSTED[count++ % UNTRUSTED.length]);
    return seen.get(value);
  };
  return JSON.stringify(JSON.parse(text), (key, value) =>
    (key === "meeting_topic" || key === "participant_name") && typeof value === "string" && value ? replacement(value) : value);
}

/** A proxy to the simulator that changes the responses. */
function startProxy(target) {
  return new Promise((done) => {
    const server = createServer((incoming, response) => {
      const onward = request(target + incoming.url, { method: incoming.method, headers: { ...incoming.headers, "accept-encoding": "identity" } }, (came) => {
        const parts = [];
        came.on("data", (part) => parts.push(part));
        came.on("end", () => {
          let body = Buffer.concat(parts).toString("utf8");
          if (/meeting_list|participant_list/.test(incoming.url)) body = replaceTexts(body);
          const headers = { ...came.headers, "content-length": Buffer.byteLength(body) };
          delete headers["transfer-encoding"];
          response.writeHead(came.statusCode, headers).end(body);
        });
      });
      onward.on("error", () => response.destroy());
      incoming.pipe(onward);
    });
    server.listen(0, "127.0.0.1", () => done(server));
  });
}

/** Runs the binary without this machine's environment. */
export function vcq(args, env = {}) {
  const ran = spawnSync(binary, args, { env: { PATH: process.env.PATH, HOME: env.HOME || tmpdir(), ...env }, encoding: "utf8", maxBuffer: 1 << 28 });
  if (ran.status !== 0) throw new Error(`${args.join(" ")} ended with ${ran.status ?? ran.error}\n${ran.stderr}`);
  return ran;
}

/** A folder with a synced store; `remove()` when done. */
export async function tenant() {
  const folder = mkdtempSync(join(tmpdir(), "vcq-page-"));
  const store = join(folder, "store");
  const simulator = spawn(binary, ["simulate", "--seed", "7", "--first-day", EARLIEST, "--days", "12", "--people", "60", "--meetings-per-day", "24",
    "--plant", INCIDENTS, "--calls-per-minute", "100000"],
    { env: { PATH: process.env.PATH, HOME: folder }, stdio: ["ignore", "pipe", "pipe"] });
  try {
    const exported = await new Promise((done, fail) => {
      let text = "";
      simulator.stderr.on("data", (part) => { text += part; });
      simulator.stdout.on("data", (part) => {
        text += part;
        const found = Object.fromEntries([...text.matchAll(/export (VCQ_\w+)='?([^'\n]*)'?/g)].map((match) => [match[1], match[2]]));
        if (found.VCQ_BASE_URL && (found.VCQ_APP_SECRET || found.VCQ_ACCESS_TOKEN)) done(found);
      });
      simulator.on("exit", (code) => fail(new Error(`the simulator ended with ${code}:\n${text}`)));
    });
    const proxy = await startProxy(exported.VCQ_BASE_URL);
    try {
      await new Promise((done, fail) => {
        const env = { PATH: process.env.PATH, HOME: folder, ...exported, VCQ_BASE_URL: `http://127.0.0.1:${proxy.address().port}`, VCQ_CALLS_PER_MINUTE: "100000" };
        // Not spawnSync, because the proxy must respond in the meantime.
        const sync = spawn(binary, ["sync", "--quiet", "--since", EARLIEST, "--until", UNTIL, "--store", store], { env, stdio: ["ignore", "ignore", "pipe"] });
        let stderr = "";
        sync.stderr.on("data", (part) => { stderr += part; });
        sync.on("exit", (code) => (code === 0 || code === 7 ? done() : fail(new Error(`sync ended with ${code}\n${stderr}`))));
      });
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  } finally {
    simulator.kill();
  }
  return { folder, store, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Writes a page of the store; returns the path of the file. */
export function page(world, name, ...args) {
  const path = join(world.folder, name);
  vcq(["report", "html", "--store", world.store, "--out", path, ...args], { HOME: world.folder });
  return path;
}

/** Rows of a report as objects. */
export function report(world, name, params) {
  const given = Object.entries(params).flatMap(([key, value]) => ["--param", `${key}=${value}`]);
  return JSON.parse(vcq(["report", "run", name, "--store", world.store, "--format", "json", "--since", "all", ...given], { HOME: world.folder }).stdout);
}

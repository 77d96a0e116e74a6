// Data, texts, numbers, dates and elements. All data is inserted as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const meta = data.meta;
const state = {
  language: meta.language === "auto" ? ((navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en") : meta.language,
  theme: window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
};
const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The text of a key in the chosen language; `{name}` is replaced by a value. */
function t(key, values) {
  const text = data.words[state.language][key];
  if (text === undefined) throw new Error("unknown text: " + key);
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => (name in values ? String(values[name]) : "")) : text;
}
/** The translation of a value of the store, else the value itself. */
function named(group, value) {
  if (value === null || value === undefined) return "";
  const text = data.words[state.language][group + "." + value];
  return text || String(value);
}

/** The rows of a table as objects. */
function rows(name) {
  const table = data.tables[name];
  return table.rows.map((row) => Object.fromEntries(table.columns.map((column, at) => [column, row[at]])));
}

const locale = () => (state.language === "zh" ? "zh-CN" : "en-GB");
function number(value, digits) {
  if (value === null || value === undefined) return "";
  return Number(value).toLocaleString(locale(), { minimumFractionDigits: digits || 0, maximumFractionDigits: digits || 0 });
}
const percent = (value, digits = 1) => (value === null || value === undefined ? "" : number(value, digits) + "\u00a0%");

/** Dates and local times are shown unchanged, regardless of the time zone of the browser. */
function moment(text) {
  const [, y, mo, d, h, mi] = /^(\d+)-(\d+)-(\d+)(?:[T ](\d+):(\d+))?/.exec(text);
  return Date.UTC(+y, mo - 1, +d, +(h || 0), +(mi || 0));
}
const dated = (at, options) => new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...options }).format(at);
const date = (text) => dated(moment(text), { weekday: "short", day: "numeric", month: "short" });
const fullDate = (text) => dated(moment(text), { day: "numeric", month: "long", year: "numeric" });
const month = (text) => dated(moment(text), { month: "long", year: "numeric" });
const clock = (at) => new Date(at).toISOString().slice(11, 16);
const when = (text) => (text ? date(text) + " " + clock(moment(text)) : "");
const stamp = (text) => (text ? text.slice(0, 16).replace("T", " ") : "");
const dayAfter = (text, days) => new Date(moment(text) + days * 86400000).toISOString().slice(0, 10);

/** An element. Children are elements or text. */
function el(tag, attributes, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}
function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
/** Text from outside, isolated because it may have another writing direction. */
const outside = (text) => el("bdi", {}, text === null || text === undefined ? "" : String(text));
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

const tip = document.getElementById("tip");
function showTip(content, x, y) {
  tip.replaceChildren(content);
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, x + 14), window.innerWidth - box.width - 8);
  const top = y + 18 + box.height > window.innerHeight ? y - box.height - 12 : y + 18;
  tip.style.left = left + "px";
  tip.style.top = Math.max(8, top) + "px";
}
function hideTip() { tip.hidden = true; }
function tipBox(title, lines) {
  return el("div.tipbox", {}, el("b", {}, outside(title)),
    lines.filter((line) => line[1] !== "" && line[1] !== null).map(([name, value]) => el("div.row", {}, el("span", {}, name), el("span", {}, value))));
}

/** Causes: colours that also differ in lightness, and a pattern each, so that colour is not the only distinction. */
const CAUSES = {
  "service side": ["#6a3d9a", "cross"],
  cpu: ["#d98c00", "dots"],
  "far end": ["#008f6b", "back"],
  uplink: ["#c2470a", "up"],
  downlink: ["#1f6fb5", "down"],
  "both ways": ["#9b2743", "grid"],
  latency: ["#b8649a", "level"],
  "licence cap": ["#3d9fd1", "tall"],
  unknown: ["#6f7984", "none"],
};
const HATCHES = {
  cross: "M0 0L8 8M8 0L0 8", dots: "M2 2h1.6v1.6h-1.6zM6 6h1.6v1.6h-1.6z", back: "M0 0L8 8M-4 4L4 12M4 -4L12 4", up: "M0 8L8 0M-4 4L4 -4M4 12L12 4",
  down: "M0 2L4 6L8 2", grid: "M0 4H8M4 0V8", level: "M0 3H8M0 7H8", tall: "M3 0V8M7 0V8", none: "",
};
const causeColor = (cause) => (CAUSES[cause] || CAUSES.unknown)[0];
const causeFill = (cause) => "url(#cause-" + Object.keys(CAUSES).indexOf(CAUSES[cause] ? cause : "unknown") + ")";
/** The SVG patterns of the causes. */
function patterns() {
  const made = Object.entries(CAUSES).map(([, [fill, hatch]], at) =>
    svg("pattern", { id: "cause-" + at, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
      svg("rect", { width: 8, height: 8, fill }),
      svg("path", { d: HATCHES[hatch], stroke: "#fff", "stroke-width": 1.1, "stroke-opacity": 0.75, fill: "none" })));
  return svg("svg", { width: 0, height: 0, "aria-hidden": "true", style: "position:absolute" }, svg("defs", {}, ...made));
}

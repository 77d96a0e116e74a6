// Data, texts, numbers, dates and elements. All data is inserted as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const meta = data.meta;
const state = { language: document.getElementById("lang-zh").checked ? "zh" : "en", print: "0" };

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

const locale = () => (state.language === "zh" ? "zh-CN" : "en-GB");
function number(value, digits) {
  if (value === null || value === undefined) return "";
  return Number(value).toLocaleString(locale(), { minimumFractionDigits: digits || 0, maximumFractionDigits: digits || 0 });
}
const percent = (value, digits = 1) => (value === null || value === undefined ? "" : number(value, digits) + (state.language === "zh" ? "%" : "\u00a0%"));

/** Dates and local times are shown unchanged, regardless of the time zone of the browser. */
function moment(text) {
  const [, y, mo, d, h, mi] = /^(\d+)-(\d+)-(\d+)(?:[T ](\d+):(\d+))?/.exec(text);
  return Date.UTC(+y, mo - 1, +d, +(h || 0), +(mi || 0));
}
const dated = (at, options) => new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...options }).format(at);
const date = (text) => dated(moment(text), { weekday: "short", day: "numeric", month: "short" });
const clock = (at) => new Date(at).toISOString().slice(11, 16);
const when = (text) => (text ? date(text) + " " + clock(moment(text)) : "");

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

/** Causes: a colour for the metric and a pattern for the direction, so that colour is not the only distinction. */
const COLORS = { loss: "#c2470a", delay: "#b8649a", jitter: "#6a3d9a", frame: "#1f6fb5", CPU: "#b37400" };
const DIRECTIONS = { received: "down", sent: "up", ways: "grid" };
const CAUSES = Object.fromEntries([...data.causes, ...data.rows.map((row) => row.main_cause || "unknown"), "unknown"].map((cause) => {
  const words = cause.split(" ");
  return [cause, [COLORS[words[0]] || "#6f7984", DIRECTIONS[words[words.length - 1]] || (COLORS[words[0]] ? "level" : "none")]];
}));
const HATCHES = { up: "M0 8L8 0M-4 4L4 -4M4 12L12 4", down: "M0 0L8 8M-4 4L4 12M4 -4L12 4", grid: "M0 4H8M4 0V8", level: "M0 3H8M0 7H8", none: "" };
const causeFill = (cause) => "url(#cause-" + Object.keys(CAUSES).indexOf(CAUSES[cause] ? cause : "unknown") + ")";
/** The SVG patterns of the causes. */
function patterns() {
  const made = Object.entries(CAUSES).map(([, [fill, hatch]], at) =>
    svg("pattern", { id: "cause-" + at, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
      svg("rect", { width: 8, height: 8, fill }),
      svg("path", { d: HATCHES[hatch], stroke: "#fff", "stroke-width": 1.1, "stroke-opacity": 0.75, fill: "none" })));
  return svg("svg", { width: 0, height: 0, "aria-hidden": "true", style: "position:absolute" }, svg("defs", {}, ...made));
}
function swatch(cause) {
  return svg("svg", { width: 14, height: 10, "aria-hidden": "true", class: "cause" }, svg("rect", { width: 14, height: 10, rx: 2, fill: causeFill(cause) }));
}

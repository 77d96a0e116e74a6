// Assembles the page: content, language, appearance, navigation and printing.
let printing = false;
const root = document.documentElement;
const main = document.getElementById("main");
const chosen = () => { const found = /^#meeting-(\d+)$/.exec(location.hash); return found ? Number(found[1]) : 0; };

function top() {
  const choice = (name, label, options, now, pick) => el("div.group", { role: "group", "aria-label": label }, options.map(([value, text, lang]) =>
    el("button", { type: "button", "aria-pressed": String(value === now), "data-choice": name + "-" + value, lang, onclick: () => { pick(value); render(true); document.querySelector('[data-choice="' + name + "-" + value + '"]').focus(); } }, text)));
  const days = rows("days").filter((day) => day.date >= meta.since).length;
  const all = Math.round((moment(meta.until) - moment(meta.since)) / 86400000);
  const latest = rows("freshness").reduce((max, row) => (row.last_minute > max ? row.last_minute : max), "");
  const range = meta.period === "day" ? "" : el("span", {}, date(meta.since) + " – " + fullDate(dayAfter(meta.until, -1)));
  document.getElementById("top").replaceChildren(
    el("div.words", {}, el(chosen() ? "p.period" : "h1", { id: "title" }, periodTitle()),
      el("div.meta", {}, range, meta.period === "day" ? "" : el("span", {}, t("meta.days", { days, all })), el("span", {}, t("meta.profile", { profile: meta.profile })),
        meta.published_utc ? el("span", {}, t("meta.published", { time: stamp(meta.published_utc) }) + (latest ? "; " + t("meta.last", { time: stamp(latest) }) : "")) : "")),
    el("div.tools", {},
      choice("language", t("language"), [["en", "English", "en"], ["zh", "中文", "zh"]], state.language, (value) => { state.language = value; }),
      choice("theme", t("theme"), [["light", t("theme.light")], ["dark", t("theme.dark")]], state.theme, (value) => { state.theme = value; }),
      el("div.group", {}, el("button", { type: "button", id: "print", onclick: () => window.print() }, t("print")), chosen() ? "" : printChoice())));
}
function printChoice() {
  const select = el("select", { id: "print-what", "aria-label": t("print.what") }, [["0", "print.overview"], ["5", "print.some"], ["99", "print.all"]].map(([value, word]) => el("option", { value, selected: value === state.print }, t(word))));
  select.addEventListener("change", () => { state.print = select.value; });
  return select;
}

function render(stay) {
  root.lang = state.language === "zh" ? "zh-CN" : "en";
  root.dataset.theme = state.theme;
  hideTip();
  forgetCharts();
  document.title = periodTitle();
  document.getElementById("skip").textContent = t("skip");
  top();
  const at = chosen();
  const names = data.why ? ["coverage", "method"] : SECTIONS;
  const nav = el("nav.sections", { "aria-label": t("contents") }, el("ul", {}, names.map((name) => el("li", {}, el("a", { href: "#s-" + name }, t("s." + name))))));
  main.replaceChildren(...(at ? [meetingPage(at)] : [nav, overview()]));
  document.getElementById("foot").replaceChildren(
    el("p", {}, meta.generator), el("details", {}, el("summary", {}, t("s.licences")), el("p", {}, t("s.licences.note")), el("pre", { tabindex: "0" }, document.getElementById("licences").textContent)));
  drawCharts();
  if (!stay) {
    if (at) { window.scrollTo(0, 0); main.querySelector("h1, .quiet").focus(); }
  }
}

function route(event) {
  const was = event ? /#meeting-(\d+)$/.exec(event.oldURL) : null;
  const section = /^#s-/.test(location.hash);
  if (section && !was) return;
  render();
  if (section) document.querySelector(location.hash.replace(/[^#\w-]/g, ""))?.scrollIntoView();
  else if (was) {
    const link = document.querySelector('a[href="#meeting-' + was[1] + '"]');
    if (link) link.focus();
  }
}

function beforePrint() {
  printing = true;
  state.screenTheme = state.theme;
  if (state.theme === "dark") { state.theme = "light"; render(true); }
  resizeCharts(680);
  const count = chosen() ? 0 : Math.min(Number(state.print || 0), rows("meetings").length);
  document.getElementById("paper").replaceChildren(...Array.from({ length: count }, (_, at) => el("article", {}, meetingPage(at + 1, true))));
}
function afterPrint() {
  printing = false;
  document.getElementById("paper").replaceChildren();
  if (state.screenTheme !== state.theme) { state.theme = state.screenTheme; render(true); } else resizeCharts();
}

document.body.prepend(patterns());
window.addEventListener("hashchange", route);
window.addEventListener("resize", () => { if (!printing) resizeCharts(); });
window.addEventListener("beforeprint", beforePrint);
window.addEventListener("afterprint", afterPrint);
window.addEventListener("keydown", (event) => { if (event.key === "Escape") { hideTip(); if (chosen()) location.hash = ""; } });
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => { state.theme = event.matches ? "dark" : "light"; render(true); });
render();
if (/^#s-[\w-]+$/.test(location.hash)) document.querySelector(location.hash)?.scrollIntoView();

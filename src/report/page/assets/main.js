// What scripts add: sorting, the switches of the heading, the minutes of a meeting, and printing them.
const root = document.documentElement;
const main = document.getElementById("main");
const minutes = document.getElementById("minutes");
const chosen = () => { const found = /^#meeting-(\d+)$/.exec(location.hash); return found ? Number(found[1]) : 0; };

/** The switch of the language works without scripts; its radio buttons are the state. */
function language() {
  state.language = document.getElementById("lang-zh").checked ? "zh" : "en";
  root.lang = state.language === "zh" ? "zh-CN" : "en";
  document.title = meta.title[state.language];
  for (const head of document.querySelectorAll("thead th button")) head.title = t("sort_by", { column: textOf(head) });
  tools();
  show(true);
}
function tools() {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = (name) => el("button", { type: "button", "aria-pressed": String((name === "dark") === dark), "data-choice": "theme-" + name, onclick: () => { root.dataset.theme = name; tools(); document.querySelector('[data-choice="theme-' + name + '"]').focus(); } }, t("theme." + name));
  const select = el("select", { id: "print-what", "aria-label": t("print.what"), onchange: () => { state.print = select.value; } },
    [["0", "print.overview"], ["5", "print.some"], ["99", "print.all"]].map(([value, word]) => el("option", { value, selected: value === state.print }, t(word))));
  document.querySelectorAll("#tools .added").forEach((group) => group.remove());
  document.getElementById("tools").append(
    el("div.group.added", { role: "group", "aria-label": t("theme") }, theme("light"), theme("dark")),
    el("div.group.added.printing", {}, el("button", { type: "button", id: "print", onclick: () => window.print() }, t("print")), data.rows.length ? select : ""));
}

/** Shows the overview, or the meeting of the address. */
function show(stay) {
  const at = chosen();
  hideTip();
  main.hidden = Boolean(at);
  minutes.hidden = !at;
  minutes.replaceChildren(...(at ? [meetingPage(at)] : []));
  if (at && !stay) {
    window.scrollTo(0, 0);
    minutes.querySelector("h1, .quiet").focus();
  }
}
function route(event) {
  const was = /#meeting-(\d+)$/.exec(event.oldURL);
  if (!was && !chosen()) return reveal();
  show();
  if (was && !chosen()) {
    const link = document.querySelector('#t-meetings a[href="#meeting-' + was[1] + '"]');
    if (link) link.focus();
  }
  reveal();
}
/** Opens the incident of the address. */
function reveal() {
  if (!/^#(incident-|s-)[\w-]+$/.test(location.hash)) return;
  const target = document.querySelector(location.hash);
  if (!target) return;
  const row = target.closest(".beyond");
  if (row) document.getElementById("all-story").checked = true;
  if (target.tagName === "DETAILS") target.open = true;
  target.scrollIntoView();
}

function beforePrint() {
  const count = chosen() ? 0 : Math.min(Number(state.print), data.rows.length);
  state.theme = root.dataset.theme;
  root.dataset.theme = "light";
  document.getElementById("paper").replaceChildren(...Array.from({ length: count }, (_, at) => el("article", {}, meetingPage(at + 1, true))));
}
function afterPrint() {
  document.getElementById("paper").replaceChildren();
  if (state.theme) root.dataset.theme = state.theme;
  else delete root.dataset.theme;
}

if (meta.language === "auto" && (navigator.language || "en").toLowerCase().startsWith("zh")) document.getElementById("lang-zh").checked = true;
for (const topic of document.querySelectorAll("[data-meeting]")) {
  const link = el("a", { href: "#meeting-" + topic.dataset.meeting }, ...topic.childNodes);
  topic.append(link);
}
document.querySelectorAll("main table").forEach(sortable);
document.body.prepend(patterns());
document.querySelectorAll('input[name="language"]').forEach((radio) => radio.addEventListener("change", language));
window.addEventListener("hashchange", route);
window.addEventListener("beforeprint", beforePrint);
window.addEventListener("afterprint", afterPrint);
window.addEventListener("keydown", (event) => { if (event.key === "Escape") { hideTip(); if (chosen()) location.hash = ""; } });
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tools);
language();
if (chosen()) show();
else reveal();

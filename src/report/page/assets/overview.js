// The overview: headline, banners, tiles and sections.
const bold = (text) => el("b", {}, text);
/** A text with elements in it: `{name}` becomes values[name]. */
function sentence(key, values) {
  return t(key).split(/(\{\w+\})/).map((part) => (/^\{\w+\}$/.test(part) ? values[part.slice(1, -1)] : part));
}

function periodTitle() {
  if (meta.period === "month") return t("title.month", { date: month(meta.since) });
  if (meta.period === "day") return t("title.day", { date: dated(moment(meta.since), { weekday: "long", day: "numeric", month: "long", year: "numeric" }) });
  return t("title.week", { date: fullDate(meta.since) });
}
const MEASURES = ["poor_minutes", "poor_audio_streams", "affected_participants", "poor_meetings", "meetings", "participants", "hours", "mos_p50", "mos_p10", "unclassified", "coverage", "covered"];
/** The scorecard by measure. An empty period has no rows; then all measures are unknown. */
function score() {
  const unknown = (measure) => ({ measure, value: null, unit: null, n: null, before: null, before_n: null, change: null, target: null, verdict: null });
  return Object.fromEntries([...MEASURES.map(unknown), ...rows("scorecard")].map((row) => [row.measure, row]));
}
/** One row a day: that of all participants, or of a day without meetings that no run covers. */
function coverageDays() {
  const whole = new Set(rows("coverage").filter((row) => row.status === "all").map((row) => row.date));
  return rows("coverage").filter((row) => row.status === "all" || (row.status === "not_covered" && !whole.has(row.date)));
}

function change(row) {
  const before = t("before." + meta.period);
  if (row.value === null || row.change === null) return t("change.none", { before });
  const by = row.unit === "%" ? t("pp", { n: number(Math.abs(row.change), 1) }) : number(Math.abs(row.change), row.unit ? 2 : 0);
  return t(row.change > 0 ? "change.up" : row.change < 0 ? "change.down" : "change.same", { by, before });
}

function lede(scores) {
  const poor = scores.poor_minutes;
  if (data.why) return null;
  if (poor.value === null) return el("p.lede", {}, t("lede.none"));
  const streams = scores.poor_audio_streams;
  const causes = rows("causes");
  const gap = state.language === "zh" ? "" : " ";
  return el("p.lede", {},
    sentence("lede", { poor: bold(percent(poor.value)), n: number(poor.n), change: change(poor) }), gap,
    streams.verdict ? t("lede.target." + streams.verdict, { target: percent(streams.target, 0) }) : "", gap,
    causes.length ? sentence("lede.cause", { cause: bold(named("cause", causes[0].cause)) }) : "");
}

function banners(scores) {
  const found = [];
  const banner = (kind, mark, title, text) => el("div.banner." + kind, { role: "status" }, el("span.mark", { "aria-hidden": "true" }, mark), bold(title), el("span", {}, text));
  if (data.why) found.push(banner("bad", "▲", t("banner.empty"), outside(data.why)));
  const low = coverageDays().filter((row) => row.gate === "gap").map((row) => row.date).sort();
  const listed = low.slice(0, 8).map(date).join(state.language === "zh" ? "、" : ", ") + (low.length > 8 ? " … (" + low.length + ")" : "");
  const gate = percent(meta.coverage_gate_pct, 0);
  const value = percent(scores.coverage.value);
  if (scores.coverage.verdict === "missed") found.push(banner("bad", "▲", t("banner.gap"), t("banner.gap.text", { value, gate, days: listed })));
  else if (low.length) found.push(banner("note", "▲", t("banner.days"), t("banner.days.text", { value, gate, days: listed })));
  const holes = rows("not_covered").map((hole) => when(hole.since_local) + " – " + when(hole.until_local));
  const some = holes.slice(0, 8).join(state.language === "zh" ? "、" : ", ") + (holes.length > 8 ? " … (" + holes.length + ")" : "");
  if (holes.length) found.push(banner("bad", "▲", t("banner.not_covered"), t("banner.not_covered.text", { times: some })));
  const pending = rows("reasons").filter((row) => row.status === "pending").reduce((sum, row) => sum + row.rows, 0);
  if (pending) found.push(banner("note", "…", t("coverage.pending"), t("banner.pending", { n: number(pending) })));
  return found;
}

/** Small bars, one per day of the period. */
function spark(key, least) {
  const days = rows("days").filter((day) => day.date >= meta.since).reverse();
  if (days.length < 2) return null;
  const values = days.map((day) => day[key]);
  const low = least ? Math.min(...values.filter((v) => v !== null)) - 1 : 0;
  const high = Math.max(...values.map((v) => v || 0), low + 0.0001);
  if (new Set(values).size < 2) return null;
  const step = 100 / values.length;
  return el("div.spark", { "aria-hidden": "true" }, svg("svg", { viewBox: "0 0 100 26", preserveAspectRatio: "none" }, ...values.map((v, at) => {
    const height = v === null ? 0 : Math.max(v > low ? 1.5 : 0.8, (24 * (v - low)) / (high - low));
    return svg("rect", { x: at * step + step * 0.14, width: step * 0.72, y: 26 - height, height, rx: 0.6, fill: "var(--good)" });
  })));
}
function tile(row, { name, digits = 1, unit = "", of, key, down = true, pill, note }) {
  const shown = row.value === null ? el("div.value.few", {}, t("too_few")) : el("div.value", {}, number(row.value, digits), unit ? el("small", {}, unit) : "");
  let delta = null;
  if (row.change !== null && row.change !== undefined) {
    const word = row.change === 0 ? "same" : (row.change < 0) === down ? "better" : "worse";
    const arrow = row.change > 0 ? "▲ " : row.change < 0 ? "▼ " : "= ";
    const by = row.unit === "%" ? t("pp", { n: number(Math.abs(row.change), 1) }) : number(Math.abs(row.change), row.unit === "h" ? 1 : digits);
    delta = el("div.delta", {}, el("span." + (down === null ? "plain" : word), {}, arrow + by), " · ", t("before.short") + " " + number(row.before, digits) + (unit ? " " + unit.trim() : ""));
  }
  return el("div.tile", { id: "tile-" + row.measure, "data-value": row.value, role: "listitem" },
    el("div.name", {}, el("span", {}, name || t(row.measure)), pill), shown,
    el("div.of", {}, of), note ? el("div.of", {}, note) : "", delta, key ? spark(key, key === "coverage_pct") : null);
}
function pillOf(row) {
  if (!row.verdict) return null;
  return el("span.pill." + row.verdict, {}, (row.verdict === "met" ? "✓ " : "▲ ") + t(row.verdict));
}
function tiles(s) {
  const target = (row, word) => (row.target === null ? "" : t(word, { target: percent(row.target, 0) }));
  return el("div.tiles", { role: "list", "aria-label": t("tiles") },
    tile(s.poor_minutes, { unit: "%", of: t("of.minutes", { n: number(s.poor_minutes.n) }), key: "poor_pct" }),
    tile(s.poor_audio_streams, { unit: "%", of: t("of.streams", { n: number(s.poor_audio_streams.n) }), note: target(s.poor_audio_streams, "target.most"), pill: pillOf(s.poor_audio_streams), key: "audio_streams_pct" }),
    tile(s.affected_participants, { unit: "%", of: t("of.participants", { n: number(s.affected_participants.n) }), key: "affected_pct" }),
    tile(s.poor_meetings, { digits: 0, of: t("of.meetings", { n: number(s.poor_meetings.n) }), key: "poor_meetings" }),
    tile(s.hours, { digits: 1, unit: "h", down: null, of: t("tile.hours", { participants: number(s.participants.value), meetings: number(s.meetings.value) }), key: "hours" }),
    tile(s.mos_p50, { digits: 2, down: false, of: t("tile.mos", { p10: s.mos_p10.value === null ? t("too_few") : number(s.mos_p10.value, 2) }) }),
    tile(s.unclassified, { unit: "%", of: t("of.held", { n: number(s.unclassified.n) }), key: "unclassified_pct" }),
    tile(s.coverage, { unit: "%", down: false, of: t("tile.coverage", { covered: percent(s.covered.value) }), note: target(s.coverage, "target.least"), pill: pillOf(s.coverage), key: "coverage_pct" }));
}

const HEAT = [0, 0.5, 2, 5, 10, 20];
function heatClass(value) {
  let at = 0;
  HEAT.forEach((from, index) => { if (value >= from && (index === 0 || value > 0)) at = index; });
  return "h" + at;
}
function heatmap() {
  const list = rows("heatmap");
  if (!list.length) return el("p.quiet", {}, t("nothing"));
  const hours = list.map((row) => row.hour);
  const first = Math.min(8, ...hours), last = Math.max(18, ...hours);
  const span = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const cell = new Map(list.map((row) => [row.weekday_no + "-" + row.hour, row]));
  const pad = (hour) => String(hour).padStart(2, "0") + ":00";
  const cells = [];
  const made = [1, 2, 3, 4, 5, 6, 7].filter((day) => day < 6 || list.some((row) => row.weekday_no === day)).filter((day) => meta.period !== "day" || list.some((row) => row.weekday_no === day)).map((day) => el("tr", {}, el("th", { scope: "row" }, t("weekday." + day)), span.map((hour) => {
    const row = cell.get(day + "-" + hour);
    if (!row) return el("td.nil", {});
    const few = row.poor_pct === null;
    const values = { day: t("weekday." + day), from: pad(hour), to: pad(hour + 1), value: percent(row.poor_pct), n: number(row.n) };
    const label = t(few ? "heat.few" : "heat.cell", values);
    const more = t("heat.more", { poor: number(row.poor), participants: number(row.participants), days: number(row.days) });
    const box = el(few ? "td" : "td." + heatClass(row.poor_pct), { tabindex: "-1", "aria-label": label + "; " + more }, few ? "·" : number(row.poor_pct, row.poor_pct >= 10 ? 0 : 1));
    const show = () => { const at = box.getBoundingClientRect(); showTip(el("div.tipbox", {}, el("b", {}, label), more), at.left, at.bottom - 12); };
    box.addEventListener("mouseenter", show);
    box.addEventListener("mouseleave", hideTip);
    box.addEventListener("focus", show);
    box.addEventListener("blur", hideTip);
    cells.push({ box, day, hour });
    return box;
  })));
  if (cells.length) cells[0].box.tabIndex = 0;
  const grid = el("table.heat", { id: "t-heatmap" }, el("caption.away", {}, t("s.heat.note", { min_n: meta.min_n })), el("thead", {}, el("tr", {}, el("th", {}), span.map((hour) => el("th", { scope: "col" }, String(hour).padStart(2, "0"))))), el("tbody", {}, made));
  grid.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const now = cells.find((entry) => entry.box === document.activeElement);
    if (!move || !now) return;
    event.preventDefault();
    const ahead = cells.filter((entry) => (move[0] ? entry.hour === now.hour && Math.sign(entry.day - now.day) === move[0] : entry.day === now.day && Math.sign(entry.hour - now.hour) === move[1]));
    ahead.sort((a, b) => Math.abs(a.day - now.day) + Math.abs(a.hour - now.hour) - Math.abs(b.day - now.day) - Math.abs(b.hour - now.hour));
    if (!ahead.length) return;
    now.box.tabIndex = -1;
    ahead[0].box.tabIndex = 0;
    ahead[0].box.focus();
  });
  const key = el("div.heatkey", {}, t("heat.legend"), HEAT.map((from, at) => el("span.h" + at, {}, at === 0 ? "< " + HEAT[1] + " %" : at === HEAT.length - 1 ? "≥ " + from + " %" : from + "–" + HEAT[at + 1] + " %")));
  return el("div", {}, el("div.scroll", {}, grid), key);
}

// The sections below the tiles, each with a chart, a table, or both.
const causeCell = (key = "main_cause") => ({ key, show: (row) => (row[key] ? el("span.nowrap", {}, swatch(row[key]), named("cause", row[key])) : ""), value: (row) => named("cause", row[key]) });
const pill = (kind, text) => el("span.pill." + kind, {}, text);
const STATUS_PILL = { healthy: ["met", "✓ "], degraded: ["mid", "◆ "], critical: ["missed", "▲ "] };
const statusCell = { key: "status", show: (row) => (row.status ? pill(STATUS_PILL[row.status][0], STATUS_PILL[row.status][1] + named("status", row.status)) : el("span.few", {}, "–")), value: (row) => ["healthy", "degraded", "critical"].indexOf(row.status) };
function swatch(cause) {
  return svg("svg", { width: 14, height: 10, "aria-hidden": "true", style: "display:inline-block;width:14px;height:10px;margin-right:.4em;vertical-align:0" }, svg("rect", { width: 14, height: 10, rx: 2, fill: causeFill(cause) }));
}

function card(id, body, note) {
  return el("section.card", { id: "s-" + id, "aria-labelledby": "h-" + id }, el("h2", { id: "h-" + id }, t("s." + id)), el("p.note", {}, note || t("s." + id + ".note")), body);
}
const nothing = () => el("p.quiet", {}, t("nothing"));

function daysTable() {
  return table("days", [
    { key: "date", kind: "date" }, { key: "meetings", kind: "num" }, { key: "hours", kind: "num", digits: 1 }, { key: "n", kind: "num" }, { key: "poor_pct", kind: "bar" }, { key: "audio_streams_pct", kind: "pct" },
    { key: "affected_pct", kind: "pct" }, { key: "poor_meetings", kind: "num" }, causeCell("top_cause"), { key: "mos_p50", kind: "num", digits: 2 }, { key: "coverage_pct", kind: "pct" },
  ], rows("days").filter((day) => day.date >= meta.since), { caption: t("s.trend"), limit: 7 });
}
function meetingsSection() {
  const list = rows("meetings").map((row, at) => ({ ...row, place: at + 1 }));
  if (!list.length) return el("p.quiet", {}, t(data.why ? "nothing" : "all_good"));
  return table("meetings", [
    { key: "topic", show: (row) => el("span.clamp", {}, el("a", { href: "#meeting-" + row.place }, row.topic ? outside(row.topic) : t("m.title") + " " + row.meeting_no)) },
    { key: "start", kind: "when" }, { key: "organizer" }, { key: "participants", kind: "num" }, { key: "affected", kind: "num" },
    { key: "n", kind: "num" }, { key: "poor", kind: "num" }, { key: "poor_pct", kind: "bar" },
    { key: "verdict", show: (row) => pill(row.verdict === "poor" ? "missed" : "plain", (row.verdict === "poor" ? "▲ " : "") + named("verdict", row.verdict)) },
    { ...causeCell(), show: (row) => el("span.nowrap", {}, swatch(row.main_cause), named("cause", row.main_cause), row.main_cause_pct ? el("span.soft", {}, " " + percent(row.main_cause_pct, 0)) : "") },
  ], list, { caption: t("s.meetings") });
}
function causesSection() {
  const list = rows("causes");
  if (!list.length) return el("p.quiet", {}, t(data.why ? "nothing" : "all_good"));
  return [chart("causes", t("chart.causes"), causesOption, list.length), table("causes", [
    causeCell("cause"), { key: "poor", kind: "num" }, { key: "poor_pct", head: "cause_pct", kind: "bar" }, { key: "people", kind: "num" }, { key: "meetings", kind: "num" }, { key: "wifi_pct", kind: "pct", digits: 0 },
    { key: "what_to_do", wide: true, show: (row) => el("span.clamp", {}, data.words[state.language]["todo." + row.cause] || outside(row.what_to_do)), value: (row) => row.what_to_do },
  ], list, { caption: t("s.causes") })];
}
const byColumns = (first) => [
  first, { key: "people", kind: "num" }, { key: "hours", kind: "num", digits: 1 }, { key: "n", kind: "num" }, { key: "poor", kind: "num" }, { key: "poor_pct", kind: "bar" }, { key: "of_all_poor_pct", kind: "pct" },
  { key: "affected_pct", kind: "pct", show: (row) => (row.affected_pct === null ? el("span.few", { title: t("too_few") }, "–") : el("span", { title: t("c.affected_range") + ": " + number(row.affected_low_pct, 1) + "–" + percent(row.affected_high_pct) }, percent(row.affected_pct), el("div.soft.small", {}, number(row.affected_low_pct, 1) + "–" + number(row.affected_high_pct, 1)))) },
  statusCell, causeCell(), { key: "delay_p95_ms", kind: "ms" }, { key: "loss_in_p95_pct", kind: "pct" }, { key: "mos_p10", kind: "num", digits: 2 },
];
function sitesSection() {
  const list = rows("sites");
  if (!list.length) return nothing();
  return [chart("sites", t("chart.sites"), sitesOption), table("sites", byColumns({ key: "site", name: true }), list, { caption: t("s.sites") })];
}
function roomsSection() {
  const list = rows("rooms");
  if (!list.length) return nothing();
  const patterned = (row) => (row.pattern && row.pattern !== "-" ? pill(row.pattern === "chronic" ? "missed" : "mid", named("pattern", row.pattern)) : "");
  return table("rooms", [
    { key: "room", name: true }, { key: "network", show: (row) => named("network", row.network), value: (row) => named("network", row.network) }, { key: "meetings", kind: "num" }, { key: "n", kind: "num" },
    { key: "poor", kind: "num" }, { key: "poor_pct", kind: "bar" }, { key: "days_affected", kind: "num" }, { key: "pattern", show: patterned }, causeCell(), { key: "loss_in_p95_pct", kind: "pct" },
    { key: "cpu_p95_pct", kind: "pct", digits: 0 }, { key: "mos_p10", kind: "num", digits: 2 }, { key: "minutes_missing", kind: "num" },
  ], list, { caption: t("s.rooms") });
}
function networksSection() {
  const list = rows("networks");
  if (!list.length) return nothing();
  return [chart("networks", t("chart.networks"), networksOption, list.length), table("networks", [
    { key: "network", show: (row) => named("network", row.network) }, { key: "people", kind: "num" }, { key: "n", kind: "num" }, { key: "poor_pct", kind: "bar" }, { key: "streams", kind: "num" }, { key: "audio_streams_pct", kind: "pct" },
    { key: "allowed_pct", kind: "pct", digits: 0 }, { key: "affected_pct", kind: "pct" }, { key: "delay_p95_ms", kind: "ms" }, { key: "mos_p10", kind: "num", digits: 2 },
  ], list, { caption: t("s.networks") })];
}
function versionsSection() {
  const list = rows("versions");
  if (!list.length) return nothing();
  const signed = (value, digits) => (value > 0 ? "+" : "") + number(value, digits);
  return [chart("versions", t("chart.versions"), versionsOption, Math.min(list.length, 8)), table("versions", [
    { key: "version" }, { key: "people", kind: "num" }, { key: "n", kind: "num" }, { key: "poor", kind: "num" }, { key: "poor_pct", kind: "bar" }, causeCell(), { key: "cpu_p95_pct", kind: "pct", digits: 0 }, { key: "pairs", kind: "num" },
    { key: "paired_change_pp", kind: "num", show: (row) => (row.paired_change_pp === null ? el("span.few", {}, "–") : signed(row.paired_change_pp, 1) + " pp") }, { key: "t", kind: "num", show: (row) => (row.t === null ? "" : number(row.t, 1)) },
  ], list, { caption: t("s.versions") })];
}
function coverageSection() {
  const list = rows("reasons");
  if (!list.length) return nothing();
  const gate = (row) => (row.status === "not_covered" ? pill("missed", "▲ " + named("coverage", row.status)) : row.gate ? pill(row.gate === "ok" ? "met" : "missed", (row.gate === "ok" ? "✓ " : "▲ ") + named("gate", row.gate)) : "");
  return [chart("coverage", t("chart.coverage"), coverageOption), table("reasons", [
    { key: "status", show: (row) => named("coverage", row.status), value: (row) => named("coverage", row.status) }, { key: "rows", kind: "num" }, { key: "expected_min", kind: "num" }, { key: "samples", kind: "num" }, { key: "missing_min", kind: "num" }, { key: "reason", wide: true },
  ], list, { caption: t("s.coverage") }),
  el("h3", { style: "margin:1rem 0 .2rem" }, t("s.coverage.days")), table("coverage", [
    { key: "date", kind: "date" }, { key: "rows", kind: "num" }, { key: "expected_min", kind: "num" }, { key: "samples", kind: "num" }, { key: "covered_pct", kind: "pct" }, { key: "askable_pct", kind: "pct" }, { key: "gate", show: gate, value: (row) => row.gate },
  ], coverageDays(), { caption: t("s.coverage.days"), limit: 7 })];
}
function methodSection() {
  const paragraph = (key, values) => el("p", { style: "max-width:62rem;margin-bottom:.5rem" }, t(key, values));
  return el("section.card", { id: "s-method" }, el("h2", {}, t("s.method")), el("div", { style: "margin-top:.5rem;font-size:.9rem" },
    paragraph("s.method.poor"), paragraph("s.method.affected"), paragraph("s.method.mos"), paragraph("s.method.small", { min_n: meta.min_n })),
  el("details", {}, el("summary", {}, t("s.method.limits") + " (" + meta.profile + ")"), table("limits", [
    { key: "metric", show: (row) => el("code", {}, row.metric) }, { key: "value", show: (row) => el("span.nowrap", {}, ({ above: "> ", at_or_above: "≥ ", below: "< " }[row.poor_when] || "") + number(row.value, row.value % 1 ? 1 : 0) + " " + (row.unit || "")), value: (row) => row.value },
    { key: "source", wide: true },
  ], rows("limits"), { limit: 60, caption: t("s.method.limits") })));
}

const SECTIONS = ["trend", "heat", "meetings", "causes", "sites", "rooms", "networks", "versions", "coverage", "method"];
function overview() {
  const scores = score();
  const empty = Boolean(data.why);
  const parts = [banners(scores), lede(scores)];
  if (!empty) {
    parts.push(tiles(scores),
      card("trend", [chart("trend", t("chart.trend"), trendOption), daysTable()]),
      card("heat", heatmap(), t("s.heat.note", { min_n: meta.min_n }) + (meta.period === "week" ? " " + t("s.heat.once") : "")),
      card("meetings", meetingsSection()), card("causes", causesSection()), card("sites", sitesSection()), card("rooms", roomsSection()),
      card("networks", networksSection()), card("versions", versionsSection()));
  }
  parts.push(card("coverage", coverageSection()), methodSection());
  return el("div.wrap", {}, parts);
}

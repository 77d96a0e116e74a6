// Charts with Apache ECharts, rendered as SVG for printing. Tooltips are elements, never markup.
const charts = [];

function base() {
  const text = { color: color("soft"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
  return {
    animation: !calm && !printing,
    animationDuration: 300,
    textStyle: text,
    aria: { enabled: false },
    grid: { left: 8, right: 16, top: 34, bottom: 4, containLabel: true },
    tooltip: {
      confine: true, backgroundColor: color("card"), borderColor: color("rule"), textStyle: { color: color("ink"), fontSize: 13 },
      extraCssText: "box-shadow:0 6px 24px #0003;border-radius:8px;padding:8px 11px;max-width:22rem", transitionDuration: 0,
    },
    legend: { top: 0, left: 0, itemWidth: 18, itemHeight: 9, itemGap: 18, textStyle: { color: color("soft"), fontSize: 12 } },
  };
}
const axisLine = () => ({ lineStyle: { color: color("rule") } });
const splitLine = () => ({ lineStyle: { color: color("line") } });
const axisText = (more) => ({ color: color("soft"), fontSize: 11, hideOverlap: true, ...more });
const percentAxis = (more) => ({
  type: "value", min: 0, axisLabel: axisText({ formatter: (v) => number(v, v % 1 ? 1 : 0) + " %" }), splitLine: splitLine(), axisLine: { show: false }, axisTick: { show: false }, ...more,
});
/** An axis label: one line, truncated, without control and direction characters. */
const cut = (text, length) => {
  const plain = String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, " ");
  return plain.length > length ? plain.slice(0, length - 1) + "…" : plain;
};

/** A chart in a box. `option` is a function because it depends on the available size; `barCount` sets the height. */
function chart(name, label, option, barCount) {
  const box = el("div.chart", { style: barCount ? "height:" + (34 * barCount + 34) + "px" : null, id: "chart-" + name, role: "img", "aria-label": label });
  charts.push({ box, option, drawn: null });
  return box;
}
function drawCharts() {
  for (const entry of charts) {
    if (!entry.box.isConnected) continue;
    if (!entry.drawn) entry.drawn = echarts.init(entry.box, null, { renderer: "svg" });
    entry.drawn.setOption(entry.option(), true);
  }
}
function forgetCharts() {
  for (const entry of charts) if (entry.drawn) entry.drawn.dispose();
  charts.length = 0;
}
/** Fits the charts to their boxes, or for printing to a fixed width, which the browser scales to the paper. */
function resizeCharts(width) {
  for (const { box, drawn } of charts) {
    if (!drawn) continue;
    drawn.resize(width ? { width } : undefined);
    // Printing does not wait for the next frame.
    if (width) drawn.getZr().flush();
    const picture = box.querySelector("svg");
    if (width) picture.setAttribute("viewBox", "0 0 " + width + " " + drawn.getHeight());
    else picture.removeAttribute("viewBox");
  }
}

function trendOption() {
  const days = rows("days").slice().reverse();
  const byDate = new Map(days.map((day) => [day.date, day]));
  const all = [];
  const earliest = days.length && days[0].date < meta.since ? meta.trend_since : meta.since;
  for (let at = earliest; at < meta.until; at = dayAfter(at, 1)) all.push(at);
  const begin = all.findIndex((at) => at >= meta.since);
  const of = (key) => all.map((at) => { const day = byDate.get(at); return day && day[key] !== null ? day[key] : null; });
  const target = meta.target_overall_pct;
  const mostMinutes = Math.max(1, ...days.map((day) => day.n));
  const dot = (at) => 3.5 + 5.5 * Math.sqrt((byDate.has(at) ? byDate.get(at).n : 0) / mostMinutes);
  const options = base();
  const narrow = main.clientWidth < 560;
  const line = (word, key, tint, symbol, type) => ({
    name: t(word), type: "line", data: of(key), symbol, symbolSize: (value, point) => dot(all[point.dataIndex]), lineStyle: { width: 2.2, type, color: tint },
    itemStyle: { color: tint }, emphasis: { disabled: true }, clip: false, z: 3,
  });
  const streams = line("poor_audio_streams", "audio_streams_pct", color("accent"), "diamond", "dashed");
  streams.markLine = {
    silent: true, symbol: "none", data: [{ yAxis: target }], lineStyle: { color: color("met"), type: [6, 3], width: 1.3 },
    label: { formatter: t("chart.target", { target: percent(target, 0) }), color: color("met"), position: "insideEndTop", fontSize: 11 },
  };
  if (begin > 0) {
    streams.markArea = { silent: true, itemStyle: { color: color("faint"), opacity: 0.1 }, data: [[{ xAxis: 0 }, { xAxis: begin - 1 }]] };
  }
  const most = Math.max(0, ...days.map((day) => Math.max(day.poor_pct || 0, day.audio_streams_pct || 0)));
  return {
    ...options,
    grid: { ...options.grid, top: narrow ? 58 : 34 },
    tooltip: {
      ...options.tooltip, trigger: "axis", axisPointer: { type: "line", lineStyle: { color: color("rule") } },
      formatter: (points) => {
        const at = all[points[0].dataIndex];
        const day = byDate.get(at);
        return tipBox(date(at), day ? [
          [t("poor_minutes"), percent(day.poor_pct) || t("too_few")], [t("c.n"), number(day.n)], [t("poor_audio_streams"), percent(day.audio_streams_pct) || t("too_few")],
          [t("affected_participants"), percent(day.affected_pct) || t("too_few")], [t("poor_meetings"), number(day.poor_meetings)], [t("hours"), number(day.hours, 1)],
          [t("coverage"), percent(day.coverage_pct)], [t("c.main_cause"), named("cause", day.top_cause)],
        ] : [[t("verdict.absent"), " "]]);
      },
    },
    xAxis: { type: "category", data: all, axisLine: axisLine(), axisTick: { show: false }, axisLabel: axisText({ formatter: (v) => dated(moment(v), all.length > 16 ? { day: "numeric", month: "short" } : { weekday: "short", day: "numeric" }) }) },
    yAxis: [percentAxis(most < target * 1.15 ? { max: Math.ceil(target * 1.3) } : {}), { type: "value", show: false, max: Math.max(1, ...days.map((day) => day.hours)) * 2.6 }],
    series: [
      { name: t("chart.hours"), type: "bar", yAxisIndex: 1, data: of("hours"), barMaxWidth: 34, itemStyle: { color: color("good"), opacity: 0.5, borderRadius: [2, 2, 0, 0] }, z: 1, emphasis: { disabled: true } },
      line("poor_minutes", "poor_pct", color("poor"), "circle", "solid"), streams,
    ],
  };
}

/** Horizontal bars, the first on top. */
function bars(list, label, value, tipOf, more = {}) {
  const options = base();
  return {
    ...options, legend: undefined, grid: { ...options.grid, top: 4, right: 58 },
    tooltip: { ...options.tooltip, trigger: "item", formatter: (point) => tipOf(list[point.dataIndex]) },
    yAxis: { type: "category", inverse: true, data: list.map((row) => cut(label(row), 26)), axisLine: { show: false }, axisTick: { show: false }, axisLabel: axisText({ color: color("ink"), fontSize: 12, hideOverlap: false, interval: 0 }) },
    xAxis: more.axis || percentAxis(),
    series: [{
      type: "bar", barMaxWidth: 15, emphasis: { disabled: true },
      data: list.map((row) => ({ value: value(row), itemStyle: more.item ? more.item(row) : { color: color("poor") } })),
      label: { show: true, position: "right", color: color("soft"), fontSize: 12, formatter: (point) => more.text(list[point.dataIndex]) },
      itemStyle: { borderRadius: [0, 3, 3, 0] },
    }, ...(more.series || [])],
  };
}
const DECALS = {
  cross: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [1.5, 5], rotation: 0.79 }, dots: { symbol: "circle", symbolSize: 0.45, dashArrayX: [[6, 6], [0, 6, 6, 0]], dashArrayY: [6, 0] },
  back: { dashArrayX: [1, 0], dashArrayY: [1.5, 5], rotation: 0.79 }, up: { dashArrayX: [1, 0], dashArrayY: [1.5, 5], rotation: -0.79 }, down: { dashArrayX: [5, 3], dashArrayY: [1.5, 4], rotation: 0.4 },
  grid: { symbol: "rect", dashArrayX: [4, 1.5], dashArrayY: [4, 1.5] }, level: { dashArrayX: [1, 0], dashArrayY: [1.5, 4] }, tall: { dashArrayX: [1, 0], dashArrayY: [1.5, 4], rotation: 1.571 },
};
function causesOption() {
  const list = rows("causes");
  return bars(list, (row) => named("cause", row.cause), (row) => row.poor_pct, (row) => tipBox(named("cause", row.cause), [
    [t("c.poor"), number(row.poor)], [t("c.cause_pct"), percent(row.poor_pct)], [t("c.participants"), number(row.participants)], [t("c.meetings"), number(row.meetings)],
  ]), {
    text: (row) => percent(row.poor_pct),
    item: (row) => {
      const decal = DECALS[(CAUSES[row.cause] || CAUSES.unknown)[1]];
      return { color: causeColor(row.cause), borderRadius: [0, 3, 3, 0], decal: decal ? { color: "rgba(255,255,255,.55)", ...decal } : undefined };
    },
  });
}
function sitesOption() {
  const options = base();
  const list = rows("sites").filter((row) => row.poor_pct !== null);
  const most = Math.max(1, ...list.map((row) => row.poor));
  const hours = list.map((row) => Math.max(row.hours, 0.1));
  const least = Math.min(...hours);
  const middle = Math.sqrt(least * Math.max(...hours));
  const tint = { healthy: color("accent"), degraded: "#d98c00", critical: color("poor") };
  const shape = { healthy: "circle", degraded: "diamond", critical: "triangle" };
  const named3 = new Set(list.slice().sort((a, b) => b.poor - a.poor).slice(0, 3).map((row) => row.site));
  return {
    ...options,
    grid: { ...options.grid, left: 24, right: 30, bottom: 18 },
    tooltip: { ...options.tooltip, trigger: "item", formatter: (point) => {
      const row = point.data.row;
      return tipBox(row.site, [[t("c.poor_pct"), percent(row.poor_pct)], [t("c.poor"), number(row.poor)], [t("c.n"), number(row.n)], [t("c.people"), number(row.people)], [t("c.main_cause"), named("cause", row.main_cause)]]);
    } },
    xAxis: { type: "log", min: least < 0.3 ? 0.1 : least < 3 ? 0.5 : 1, name: t("c.hours"), nameLocation: "middle", nameGap: 24, nameTextStyle: { color: color("soft"), fontSize: 11 }, axisLabel: axisText({ formatter: (v) => number(v, v < 1 ? 1 : 0) }), splitLine: { show: false }, axisLine: axisLine() },
    yAxis: percentAxis({ name: t("chart.poor_share"), nameLocation: "middle", nameGap: 40, nameTextStyle: { color: color("soft"), fontSize: 11 } }),
    series: ["healthy", "degraded", "critical"].map((status) => ({
      labelLayout: { hideOverlap: true },
      name: named("status", status), type: "scatter", symbol: shape[status], itemStyle: { color: tint[status], opacity: 0.78, borderColor: color("card"), borderWidth: 1 }, emphasis: { disabled: true },
      data: list.filter((row) => row.status === status).map((row) => ({ value: [Math.max(row.hours, 0.1), row.poor_pct], row, symbolSize: 8 + 26 * Math.sqrt(row.poor / most),
        label: { show: row.poor > 0 && named3.has(row.site), formatter: () => cut(row.site, 24), position: row.hours > middle ? "left" : "right", color: color("soft"), fontSize: 11 } })),
    })),
  };
}
function networksOption() {
  const list = rows("networks");
  const marks = list.map((row, at) => ({ value: [row.allowed_pct, at], row }));
  const most = Math.max(...list.map((row) => Math.max(row.audio_streams_pct || 0, row.allowed_pct || 0)), 1);
  return bars(list, (row) => named("network", row.network), (row) => row.audio_streams_pct, (row) => tipBox(named("network", row.network), [
    [t("c.audio_streams_pct"), percent(row.audio_streams_pct) || t("too_few")], [t("c.allowed_pct"), "≤ " + percent(row.allowed_pct)], [t("c.streams"), number(row.streams)], [t("c.poor_pct"), percent(row.poor_pct) || t("too_few")], [t("c.n"), number(row.n)],
  ]), {
    axis: percentAxis({ max: Math.ceil(most * 1.1) }),
    text: (row) => percent(row.audio_streams_pct) || t("too_few"),
    item: (row) => ({ color: row.audio_streams_pct > row.allowed_pct ? color("poor") : color("accent"), borderRadius: [0, 3, 3, 0] }),
    series: [{ type: "scatter", symbol: "rect", symbolSize: [3, 34], data: marks, itemStyle: { color: color("met") }, silent: true, z: 5 }],
  });
}
function versionsOption() {
  const list = rows("versions").slice(0, 8);
  return bars(list, (row) => row.version, (row) => row.poor_pct, (row) => tipBox(row.version, [
    [t("c.poor_pct"), percent(row.poor_pct) || t("too_few")], [t("c.n"), number(row.n)], [t("c.people"), number(row.people)], [t("c.main_cause"), named("cause", row.main_cause)],
  ]), { text: (row) => percent(row.poor_pct) || t("too_few"), item: () => ({ color: color("bar"), borderRadius: [0, 3, 3, 0] }) });
}
const STATUSES = [["complete", "#7ba7cf"], ["empty", "#c9b458"], ["unreadable", "#a8643c"], ["not_found", "#e08e45"], ["unaddressable", "#9aa3ad"], ["unsupported", "#c3c9d0"], ["too_long", "#8a6fb0"], ["forbidden", "#b8649a"], ["list_short", "#d0679d"], ["failed", "#b2361a"], ["pending", "#4aa58a"]];
function coverageOption() {
  const options = base();
  const list = rows("coverage");
  const days = [...new Set(list.map((row) => row.date))].sort();
  const cell = new Map(list.map((row) => [row.date + row.status, row]));
  const seen = STATUSES.filter(([status]) => list.some((row) => row.status === status));
  return {
    ...options,
    legend: { ...options.legend, type: "scroll" },
    tooltip: { ...options.tooltip, trigger: "axis", axisPointer: { type: "shadow", shadowStyle: { color: color("shade") } }, formatter: (points) => {
      const at = days[points[0].dataIndex];
      const whole = cell.get(at + "all");
      return tipBox(date(at), [[t("c.askable_pct"), whole ? percent(whole.askable_pct) : ""], ...seen.map(([status]) => [named("coverage", status), cell.has(at + status) ? number(cell.get(at + status).rows) : ""])]);
    } },
    xAxis: { type: "category", data: days, axisLine: axisLine(), axisTick: { show: false }, axisLabel: axisText({ formatter: (v) => dated(moment(v), { day: "numeric", month: "short" }) }) },
    yAxis: { type: "value", splitLine: splitLine(), axisLabel: axisText() },
    series: seen.map(([status, tint]) => ({
      name: named("coverage", status), type: "bar", stack: "all", barMaxWidth: 46, itemStyle: { color: tint, borderColor: color("card"), borderWidth: 0.5 }, emphasis: { disabled: true },
      data: days.map((at) => (cell.has(at + status) ? cell.get(at + status).rows : 0)),
    })),
  };
}

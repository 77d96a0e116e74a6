// Tables that are sortable by their headings, with the pointer and with the keyboard.

/**
 * One column: `key` of the row, `head` (text key of the heading, default `key`), and how it is shown.
 * kind: text | num | pct | ms | bar | date | when, or `show(row)`; `value(row)` is the sort key.
 */
function cellOf(column, row, most) {
  if (column.show) return column.show(row);
  const value = row[column.key];
  if (value === null || value === undefined || value === "") {
    const hidden = column.kind === "bar" || column.kind === "pct";
    return hidden ? el("span.few", { title: t("too_few") }, "–") : "";
  }
  switch (column.kind) {
    case "num": return number(value, column.digits);
    case "pct": return percent(value, column.digits === undefined ? 1 : column.digits);
    case "ms": return number(value, 0) + "\u00a0ms";
    case "bar": return el("span.bar", {}, el("i", { style: "width:" + (most > 0 ? Math.max(value > 0 ? 3 : 0, (100 * value) / most) : 0).toFixed(1) + "%" }), el("span", {}, percent(value)));
    case "date": return el("span.nowrap", {}, date(value));
    case "when": return el("span.nowrap", {}, when(value));
    default: return el(column.name ? "span.clamp.name" : "span.clamp", { title: String(value).length > 60 ? String(value).slice(0, 600) : null }, outside(value));
  }
}

const isRight = (column) => ["num", "pct", "bar", "ms"].includes(column.kind);

/** A sortable table; the first `limit` rows are shown until it is expanded. */
function table(name, columns, all, options = {}) {
  const limit = options.limit || 10;
  let order = null;
  let open = false;
  const body = el("tbody");
  const heads = columns.map((column) => {
    const label = t("c." + (column.head || column.key));
    const button = el("button", { type: "button", title: t("sort_by", { column: label }), onclick: () => sort(column) }, label);
    return el(isRight(column) ? "th.num" : "th", { scope: "col", "data-key": column.key }, button);
  });
  const most = columns.map((column) => (column.kind === "bar" ? Math.max(0, ...all.map((row) => row[column.key] || 0)) : 0));
  const more = el("button.more", { type: "button", onclick: () => { open = !open; fill(); } });

  function sort(column) {
    const text = !isRight(column) && !["date", "when"].includes(column.kind);
    const first = text ? "ascending" : "descending";
    const direction = order && order.column === column ? (order.direction === "ascending" ? "descending" : "ascending") : first;
    order = { column, direction };
    fill();
  }
  function sorted() {
    if (!order) return all;
    const value = order.column.value || ((row) => row[order.column.key]);
    const sign = order.direction === "ascending" ? 1 : -1;
    const missing = (x) => x === null || x === undefined || x === "";
    return all.map((row, at) => [value(row), at, row]).sort((a, b) => {
      if (missing(a[0]) || missing(b[0])) return missing(a[0]) - missing(b[0]) || a[1] - b[1];
      const by = typeof a[0] === "number" && typeof b[0] === "number" ? a[0] - b[0] : String(a[0]).localeCompare(String(b[0]), locale(), { numeric: true });
      return sign * by || a[1] - b[1];
    }).map((entry) => entry[2]);
  }
  function fill() {
    heads.forEach((head, at) => {
      if (order && order.column === columns[at]) head.setAttribute("aria-sort", order.direction);
      else head.removeAttribute("aria-sort");
    });
    const shown = open ? sorted() : sorted().slice(0, limit);
    body.replaceChildren(...shown.map((row) => el("tr", {}, columns.map((column, at) =>
      el(isRight(column) ? "td.num" : column.wide ? "td.wide" : "td", {}, cellOf(column, row, most[at]))))));
    more.hidden = all.length <= limit;
    more.textContent = open ? t("show_less") : t("show_all", { n: all.length });
    more.setAttribute("aria-expanded", String(open));
  }
  fill();
  const made = el("table", { id: "t-" + name }, el("caption.away", {}, options.caption || ""), el("thead", {}, el("tr", {}, heads)), body);
  return el("div", {}, el("div.scroll", { tabindex: "-1" }, made), more);
}

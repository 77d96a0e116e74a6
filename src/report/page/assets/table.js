// Makes the tables sortable by their headings, with the pointer and with the keyboard.

/** The text of a cell in the chosen language. */
function textOf(cell) {
  const chosen = [...cell.querySelectorAll("span[lang]")].filter((span) => span.lang === state.language);
  const other = [...cell.querySelectorAll("span[lang]")].some((span) => span.lang !== state.language);
  return (other ? chosen.map((span) => span.textContent).join(" ") : cell.textContent).trim();
}
/** What a cell is sorted by: a number where it shows one, else its text; null where a value is hidden. */
function valueOf(cell) {
  if (cell.dataset.value !== undefined) return cell.dataset.value || null;
  const text = textOf(cell);
  if (text === "" || text === "–") return null;
  const plain = text.replace(/[,\u00a0 ]/g, "");
  return cell.classList.contains("num") ? parseFloat(plain) : text;
}
function order(rows, at, sign) {
  const keyed = rows.map((row, place) => [valueOf(row.cells[at]), place, row]);
  keyed.sort((a, b) => {
    if (a[0] === null || b[0] === null) return (a[0] === null) - (b[0] === null) || a[1] - b[1];
    const by = typeof a[0] === "number" && typeof b[0] === "number" ? a[0] - b[0] : String(a[0]).localeCompare(String(b[0]), locale(), { numeric: true });
    return sign * by || a[1] - b[1];
  });
  return keyed.map((entry) => entry[2]);
}
function sortable(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const limit = Number(table.dataset.limit || original.length);
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, at) => {
    const button = el("button", { type: "button" }, ...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isNumber = head.classList.contains("num") || (original[0] && original[0].cells[at].dataset.value !== undefined);
      const now = head.getAttribute("aria-sort");
      const next = now ? (now === "ascending" ? "descending" : "ascending") : isNumber ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", next);
      const sorted = order(original, at, next === "ascending" ? 1 : -1);
      sorted.forEach((row, place) => row.classList.toggle("beyond", place >= limit));
      body.append(...sorted);
    });
  });
}

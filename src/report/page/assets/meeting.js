// The page of one meeting, minute by minute, with one track per participant.
const METRICS = [["delay", "m.delay", " ms", 0], ["loss_in", "m.loss_in", "%", 1], ["loss_out", "m.loss_out", "%", 1], ["jitter_in", "m.jitter_in", " ms", 0], ["jitter_out", "m.jitter_out", " ms", 0],
  ["fps", "m.fps", " fps", 0], ["height", "m.height", "p", 0], ["cpu_app", "m.cpu_app", "%", 0], ["cpu_all", "m.cpu_all", "%", 0]];
const STREAMS = ["m.audio_in", "m.audio_out", "m.video_in", "m.video_out", "m.share_in", "m.share_out"];
const LANE = 30;

/** The verdict on a participant's minute: g good, p poor, u no verdict, else no data. */
const verdictOf = (person, at) => ({ g: "good", p: "poor", u: "unclassified" }[person.track.verdicts[at - person.track.from]] || "absent");
const causeOf = (person, at) => data.causes[person.track.causes[at]] || "unknown";
function readings(person, at) {
  const index = at - person.track.from;
  if (!person.track.delay && verdictOf(person, at) !== "absent") return [[t("m.no_numbers"), " "]];
  const streams = person.track.streams[at];
  const found = METRICS.map(([key, word, unit, digits]) => {
    const values = person.track[key];
    return values && values[index] !== null && values[index] !== undefined ? [t(word), unit === "%" ? percent(values[index], digits) : number(values[index], digits) + unit] : null;
  }).filter(Boolean);
  if (streams) found.unshift([t("m.streams"), STREAMS.filter((_, bit) => streams & (1 << bit)).map((word) => t(word)).join(", ")]);
  return found;
}
function describe(meeting, person, at) {
  const verdict = verdictOf(person, at);
  const cause = verdict === "poor" ? ", " + named("cause", causeOf(person, at)) : "";
  return clock(moment(meeting.first) + at * 60000) + " · " + t("verdict." + verdict) + cause;
}

/** The track: low bar good, tall block poor, outline no verdict. Equal adjacent minutes are one shape. */
function lane(person, length) {
  const shapes = [];
  const kind = (at) => { const verdict = verdictOf(person, at); return verdict === "poor" ? "p" + causeOf(person, at) : verdict; };
  for (let at = 0; at < length;) {
    let to = at + 1;
    const now = kind(at);
    while (to < length && kind(to) === now) to += 1;
    if (now === "good") shapes.push(svg("rect", { x: at, y: LANE - 9, width: to - at, height: 7, fill: "var(--good)" }));
    else if (now === "unclassified") shapes.push(svg("rect", { x: at + 0.1, y: LANE - 9, width: to - at - 0.2, height: 6.5, fill: "none", stroke: "var(--faint)", "stroke-width": 1, "vector-effect": "non-scaling-stroke" }));
    else if (now !== "absent") shapes.push(svg("rect", { x: at, y: 3, width: to - at, height: LANE - 5, fill: causeFill(now.slice(1)), class: "poor" }));
    at = to;
  }
  return shapes;
}
/** Positions the shapes in pixels, because patterns must not be stretched with the track. */
function place(shapes, width, length) {
  const scale = width / length;
  for (const shape of shapes) {
    for (const name of ["x", "width"]) {
      if (!shape.dataset[name]) shape.dataset[name] = shape.getAttribute(name);
      const value = Number(shape.dataset[name]) * scale;
      shape.setAttribute(name, name === "width" ? Math.max(value - (shape.classList.contains("poor") ? 0.6 : 0), 0.8) : value);
    }
  }
}
function ticks(meeting, length, width) {
  const start = moment(meeting.first) / 60000;
  const wanted = Math.max(2, Math.floor(width / 70));
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 240].find((minutes) => length / minutes <= wanted) || 480;
  const made = [];
  for (let at = Math.ceil(start / step) * step; at <= start + length; at += step) {
    const x = ((at - start) / length) * width;
    if (x > width - 18 || x < 0) continue;
    made.push(svg("line", { x1: x, x2: x, y1: 14, y2: 20, stroke: "var(--rule)" }), svg("text", { x: x + (x < 14 ? 0 : -14), y: 11 }, clock(at * 60000)));
  }
  return made;
}

function meetingPage(at, paper) {
  const row = data.rows[at - 1];
  if (!row) return el("div.wrap", {}, el("a.back", { href: "#" }, "← " + t("back")), el("p.quiet", {}, t("m.none")));
  const meeting = data.meetings.find((entry) => entry.place === at);
  const count = data.rows.length;
  const step = (to, word, mark) => (to >= 1 && to <= count ? el("a", { href: "#meeting-" + to }, mark === "←" ? "← " + t(word) : t(word) + " →") : "");
  const fact = (word, value) => (value === "" || value === null ? "" : el("div", {}, el("span", {}, t(word)), value instanceof Node ? value : outside(value)));
  const head = [
    paper ? "" : el("a.back", { href: "#" }, "← " + t("back")),
    el("div.mtop", {}, el(paper ? "h2" : "h1", { tabindex: "-1" }, row.topic ? outside(row.topic) : t("m.title") + " " + row.meeting_no), paper ? "" : el("div.mnav", {}, step(at - 1, "m.previous", "←"), " ", step(at + 1, "m.next", "→"))),
    el("div.facts", {}, fact("c.start", when(row.start)), fact("c.meeting_no", row.meeting_no), fact("c.organizer", row.organizer), fact("c.participants", number(row.participants)), fact("c.affected", number(row.affected)),
      fact("poor_minutes", t("m.minutes", { poor: number(row.poor), n: number(row.n) }) + (row.poor_pct === null ? "" : " = " + percent(row.poor_pct))),
      fact("c.main_cause", el("span", { style: "all:unset" }, swatch(row.main_cause), named("cause", row.main_cause) + " " + percent(row.main_cause_pct, 0))),
      fact("c.verdict", named("verdict", row.verdict)), row.peak_at ? fact("m.at_once", t("m.peak", { n: number(row.peak), time: clock(moment(row.peak_at)) })) : ""),
  ];
  if (!meeting || !meeting.people.length) return el("div.wrap", {}, head, el("p.quiet", {}, t("m.no_minutes")));
  return el("div.wrap", {}, head, lanes(meeting, paper));
}

function lanes(meeting, paper) {
  const length = meeting.length;
  const people = meeting.people;
  const cursor = { person: -1, at: -1 };
  const readout = el("div.readout", {}, el("span.soft", {}, t("m.pick")));
  const drawn = [];
  const tracks = people.map((person, index) => {
    const shapes = lane(person, length);
    const mark = svg("rect", { y: 0, height: LANE, width: 0, x: 0, fill: "none", stroke: "var(--ink)", "stroke-width": 1.5, rx: 1.5 });
    const picture = svg("svg", { "aria-hidden": "true" }, ...shapes, mark);
    const box = el("div.lane", { tabindex: index === 0 && !paper ? "0" : "-1", role: "slider", "aria-label": person.who || "", "aria-valuemin": 0, "aria-valuemax": length - 1, "aria-valuenow": 0,
      "aria-valuetext": t("m.minutes", { poor: number(person.poor), n: number(person.n) }) }, picture);
    drawn.push({ picture, shapes });
    return { box, mark, picture };
  });
  const scaleOf = (picture) => picture.getBoundingClientRect().width / length;
  function point(index, at, spoken) {
    const person = people[index];
    at = Math.max(0, Math.min(length - 1, at));
    if (cursor.person >= 0 && cursor.person !== index) tracks[cursor.person].mark.setAttribute("width", 0);
    Object.assign(cursor, { person: index, at });
    const scale = scaleOf(tracks[index].picture);
    tracks[index].mark.setAttribute("x", at * scale);
    tracks[index].mark.setAttribute("width", Math.max(scale, 3));
    const values = readings(person, at);
    readout.replaceChildren(el("b", {}, outside(person.who)), el("span", {}, describe(meeting, person, at)), ...values.map(([name, value]) => el("span", {}, el("span", {}, name), value)));
    tracks[index].box.setAttribute("aria-valuenow", at);
    if (spoken) tracks[index].box.setAttribute("aria-valuetext", describe(meeting, person, at) + "; " + values.map((pair) => pair.join(" ")).join("; "));
    return values;
  }
  tracks.forEach(({ box, picture }, index) => {
    box.addEventListener("pointermove", (event) => {
      const at = Math.floor((event.clientX - picture.getBoundingClientRect().left) / scaleOf(picture));
      const values = point(index, at);
      if (event.pointerType === "mouse") showTip(tipBox(people[index].who, [[describe(meeting, people[index], cursor.at), " "], ...values]), event.clientX, event.clientY);
    });
    box.addEventListener("pointerdown", (event) => { point(index, Math.floor((event.clientX - picture.getBoundingClientRect().left) / scaleOf(picture))); });
    box.addEventListener("pointerleave", hideTip);
    box.addEventListener("focus", () => { if (cursor.person !== index) point(index, firstPoor(people[index]), true); });
    box.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
      if (event.key in moves) point(index, cursor.at + moves[event.key], true);
      else if (event.key === "Home") point(index, 0, true);
      else if (event.key === "End") point(index, length - 1, true);
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const to = index + (event.key === "ArrowDown" ? 1 : -1);
        if (!tracks[to] || tracks[to].box.closest("[hidden]")) return;
        box.tabIndex = -1;
        tracks[to].box.tabIndex = 0;
        point(to, cursor.at, true);
        tracks[to].box.focus();
      } else return;
      event.preventDefault();
    });
  });
  function firstPoor(person) {
    const at = person.track.verdicts.indexOf("p");
    return at < 0 ? person.track.from : person.track.from + at;
  }
  const who = (person) => el(person.poor ? "div.who" : "div.who.healthy", {}, el("bdi", { title: person.who }, person.who || ""),
    el("small", {}, [t("m.minutes", { poor: number(person.poor), n: number(person.n) }), person.kind === "person" ? "" : named("kind", person.kind), named("network", person.network), person.device, person.site].filter(Boolean).join(" · ")));
  // Participants without poor minutes are collapsed if there are more than a few.
  const healthy = people.filter((person) => !person.poor).length;
  const troubled = healthy > 4 ? people.length - healthy : people.length;
  const cells = (from, to) => people.slice(from, to).flatMap((person, index) => [who(person), tracks[from + index].box]);
  const crowd = svg("svg", { "aria-hidden": "true" });
  const axis = svg("svg", { "aria-hidden": "true" });
  const label = el("div.who.blank", {}, el("small", {}, t("m.at_once")));
  const grid = el("div.lanes", { role: "group", "aria-label": t("m.who") }, label, el("div.crowd", {}, crowd), el("div.blank"), el("div.axis", {}, axis), cells(0, troubled));
  const rest = people.length - troubled;
  const quiet = el("div.lanes", { role: "group", "aria-label": t("verdict.good"), hidden: true }, cells(troubled, people.length));
  const more = el("button.more", { type: "button", "aria-expanded": "false", onclick: () => {
    quiet.hidden = !quiet.hidden;
    more.setAttribute("aria-expanded", String(!quiet.hidden));
    more.textContent = quiet.hidden ? t("m.show_rest", { n: number(rest) }) : t("show_less");
  } }, t("m.show_rest", { n: number(rest) }));
  const draw = (wide) => {
    const width = wide || axis.getBoundingClientRect().width;
    if (!width) return;
    for (const entry of drawn) {
      if (wide) { entry.picture.setAttribute("viewBox", "0 0 " + wide + " " + LANE); entry.picture.setAttribute("preserveAspectRatio", "none"); }
      place(entry.shapes, width, length);
    }
    if (wide) for (const picture of [axis, crowd]) { picture.setAttribute("viewBox", "0 0 " + wide + " " + (picture === axis ? 20 : 44)); picture.setAttribute("preserveAspectRatio", "none"); }
    axis.replaceChildren(...ticks(meeting, length, width));
    const most = Math.max(1, ...meeting.at_once);
    crowd.replaceChildren(...meeting.at_once.map((n, at) => svg("rect", { x: (at * width) / length, width: Math.max(width / length - 0.6, 0.8), y: 42 - (34 * n) / most, height: n ? (34 * n) / most : 0, fill: "var(--bar)" })),
      svg("line", { x1: 0, x2: width, y1: 42.5, y2: 42.5, stroke: "var(--rule)" }), svg("text", { x: 0, y: 10 }, String(most)));
  };
  const used = [...new Set(people.flatMap((person) => Object.values(person.track.causes)))].map((code) => data.causes[code]);
  const key = (shape, text) => el("span", {}, svg("svg", { viewBox: "0 0 26 14", "aria-hidden": "true" }, shape), text);
  const legend = el("div.legend", {}, used.map((cause) => key(svg("rect", { width: 26, height: 14, fill: causeFill(cause) }), named("cause", cause))),
    key(svg("rect", { y: 5, width: 26, height: 7, fill: "var(--good)" }), t("verdict.good")), key(svg("rect", { x: 0.5, y: 5, width: 25, height: 7, fill: "none", stroke: "var(--faint)" }), t("verdict.unclassified")));
  const section = el("section.card", { "aria-label": t("m.who") }, el("h2", {}, t("m.who")), el("p.note", {}, t("m.help") + (paper ? "" : (state.language === "zh" ? "" : " ") + t("m.move"))), legend, grid,
    rest ? (paper ? el("p.quiet.small", {}, t("m.rest", { n: number(rest) })) : [quiet, more]) : "",
    meeting.others ? el("p.quiet.small", {}, t("m.others", { n: number(meeting.others), poor: number(meeting.others_poor) })) : "", paper ? "" : readout);
  if (paper) draw(520);
  else new ResizeObserver(() => draw()).observe(axis);
  return section;
}

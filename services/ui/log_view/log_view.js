// Draws a window of log lines and follows its growth. Lines come as rows `[level, milliseconds, text]`;
// their numbers follow from `data.first`. Rows lie in blocks that the browser lays out only near the screen.
const BLOCK_LINES = 500, LINE_HEIGHT = 20, MOST_LINES = 25_000, PREFERENCES = "pilothouse-log-view";
const LEVELS = { e: "error", w: "warn", i: "info", d: "debug" };
const views = new WeakMap(); // one view a mount

class View {
  constructor(root) {
    for (const name of ["viewer", "box", "lines", "search", "only", "previous", "next", "status", "times", "wrap", "follow",
      "earlier", "later", "newer", "empty"]) this[name] = root.querySelector(`.${name}`);
    this.followLabel = root.querySelector(".follow-label");
    this.toError = root.querySelector(".to-error");
    this.chips = [...root.querySelectorAll(".chip")];
    this.preferences = { times: "local", wrap: false, hidden: ["debug"], ...stored() };
    this.times.value = this.preferences.times;
    this.wrap.checked = this.preferences.wrap;
    this.reset(null);
    this.listen();
    this.applyPreferences();
  }

  reset(log) {
    Object.assign(this, { log, first: 1, rows: [], blocks: [], counts: { error: 0, warn: 0, info: 0, debug: 0 } });
    Object.assign(this, { matches: [], current: -1, unseen: 0, anchor: null, seenAnchor: null, known: false, opened: false, seenSearch: "", lastTop: 0, waiting: false, errorAt: -1 });
    this.lines.replaceChildren();
    this.newer.hidden = true;
  }

  get end() { return this.first + this.rows.length; } // the number that the next line will have

  // --- what Python sent -----------------------------------------------------------------------------------------

  update({ data, setTriggerValue }) {
    this.send = setTriggerValue;
    this.box.style.height = `${data.height}px`;
    if (data.log !== this.log) {
      this.reset(data.log);
      this.follow.checked = data.live && !data.anchor;
    }
    this.followLabel.hidden = !data.live;
    this.start = data.start;
    if (!this.take(data)) return;
    const after = data.total - this.end + 1;
    this.earlier.hidden = this.first <= 1;
    this.earlier.textContent = `Load earlier lines (${(this.first - 1).toLocaleString()} before these)`;
    this.later.hidden = after <= 0;
    this.later.textContent = `Load later lines (${after.toLocaleString()} after these)`;
    this.empty.hidden = this.rows.length > 0;
    this.empty.textContent = data.empty;
    if (!this.opened || (data.search && data.search !== this.seenSearch)) this.open(data);
    const isNewAnchor = data.anchor && data.anchor !== this.seenAnchor && data.anchor !== this.anchor;
    this.seenAnchor = data.anchor;
    if (isNewAnchor) this.choose(data.anchor, { scroll: true });
    else if (this.follow.checked && data.live) this.toEnd();
  }

  // Where a log is first shown: at the anchor (later, by its own rule), at what was looked for, or at its end.
  open({ anchor, search }) {
    Object.assign(this, { opened: true, seenSearch: search });
    if (search) this.search.value = search;
    if (anchor) { this.find(); return; }
    if (!search) { this.toEnd(); return; }
    this.find();
    const error = this.matches.findIndex((row) => row.level === "error");
    this.point(Math.max(error, 0));
    if (this.matches.length) this.reveal(this.matches[this.current]);
  }

  // Fits the sent window to what is there: append its new part, replace when it starts earlier, or ask for all of it.
  take({ full, first, rows }) {
    const overlaps = this.known && first >= this.first && first <= this.end;
    if (overlaps) {
      this.append(rows.slice(this.end - first));
    } else if (full) {
      const top = this.topRow();
      const { log, anchor, seenAnchor, seenSearch, opened } = this;
      this.reset(log);
      Object.assign(this, { anchor, seenAnchor, seenSearch, opened, first, known: true });
      this.append(rows);
      if (top) this.rows[top.number - first]?.element.scrollIntoView({ block: "start" });
    } else {
      if (!this.waiting) this.send("resync", Date.now());
      this.waiting = true;
      return false;
    }
    this.waiting = false;
    return true;
  }

  append(rows) {
    if (!rows.length) return;
    const before = this.visibleCount();
    for (const row of rows) this.addRow(row);
    this.dropOldest();
    this.sizeBlocks();
    for (const chip of this.chips) chip.querySelector("b").textContent = this.counts[chip.dataset.level].toLocaleString();
    this.toError.disabled = !this.counts.error;
    if (this.search.value) this.find({ keep: true });
    else this.report();
    if (!this.follow.checked && this.box.scrollTop > 0) this.announceNewer(this.visibleCount() - before);
  }

  addRow([level, time, text]) {
    let block = this.blocks.at(-1);
    if (!block || block.element.childElementCount >= BLOCK_LINES) {
      block = { element: make("div", "block"), heights: { error: 0, warn: 0, info: 0, debug: 0 } };
      this.blocks.push(block);
      this.lines.append(block.element);
    }
    const row = { number: this.end, level: LEVELS[level] ?? "info", time, text, block };
    row.element = make("div", `row ${row.level}`);
    row.link = make("a", "", row.number);
    row.link.href = permalink(row.number);
    row.link.title = "Link to this line; with Shift to a range";
    row.timeElement = make("span", "time", this.timeText(row));
    row.textElement = make("span", "text", text);
    row.element.append(row.link, row.timeElement, row.textElement);
    block.heights[row.level] += text.split("\n").length;
    block.element.append(row.element);
    this.counts[row.level] += 1;
    this.rows.push(row);
  }

  dropOldest() {
    while (this.rows.length > MOST_LINES && this.blocks.length > 1) {
      const block = this.blocks.shift();
      const gone = this.rows.splice(0, block.element.childElementCount);
      for (const row of gone) this.counts[row.level] -= 1;
      this.first += gone.length;
      block.element.remove();
    }
  }

  // --- what is shown ----------------------------------------------------------------------------------------------

  isShown(row) { return !this.preferences.hidden.includes(row.level); }

  visibleCount() {
    return Object.entries(this.counts).reduce((sum, [level, count]) => sum + (this.isShown({ level }) ? count : 0), 0);
  }

  sizeBlocks() {
    for (const { element, heights } of this.blocks) {
      const lines = Object.entries(heights).reduce((sum, [level, count]) => sum + (this.isShown({ level }) ? count : 0), 0);
      element.style.containIntrinsicSize = `auto ${lines * LINE_HEIGHT}px`;
    }
  }

  applyPreferences() {
    const { times, wrap, hidden } = this.preferences;
    this.box.classList.toggle("no-time", times === "none");
    this.box.classList.toggle("wrapped", wrap);
    for (const chip of this.chips) {
      const shown = !hidden.includes(chip.dataset.level);
      chip.setAttribute("aria-pressed", shown);
      this.box.classList.toggle(`hide-${chip.dataset.level}`, !shown);
    }
    this.sizeBlocks();
    this.find({ keep: true });
    try { localStorage.setItem(PREFERENCES, JSON.stringify(this.preferences)); } catch { /* private window: not kept */ }
  }

  timeText({ time }) {
    const style = this.preferences.times;
    if (time === null || style === "none") return "";
    if (style === "since") return `+${((time - (this.start ?? time)) / 1000).toFixed(1)} s`.padStart(9, " ");
    const moment = new Date(time);
    return style === "utc" ? moment.toISOString().slice(11, 23) : clock(moment);
  }

  report() {
    const needle = this.search.value.trim();
    if (!needle) {
      const shown = this.visibleCount(), all = this.rows.length;
      const some = shown === all ? "" : `${shown.toLocaleString()} of `;
      this.status.textContent = `${some}${all.toLocaleString()} ${all === 1 ? "line" : "lines"}`;
    } else {
      const at = this.current < 0 ? "" : `${(this.current + 1).toLocaleString()} of `;
      const more = this.hiddenMatches ? ` (${this.hiddenMatches.toLocaleString()} more in hidden levels)` : "";
      this.status.textContent = `${at}${this.matches.length.toLocaleString()} ${this.matches.length === 1 ? "match" : "matches"}${more}`;
    }
    this.previous.disabled = this.next.disabled = !this.matches.length;
  }

  // --- search -----------------------------------------------------------------------------------------------------

  find({ keep = false } = {}) {
    const needle = this.search.value.trim().toLowerCase(), at = keep ? this.matches[this.current] : null;
    this.matches = [];
    this.hiddenMatches = 0;
    for (const row of this.rows) {
      const found = needle !== "" && row.text.toLowerCase().includes(needle);
      if (found && this.isShown(row)) this.matches.push(row);
      else if (found) this.hiddenMatches += 1;
      if (found) row.textElement.replaceChildren(...highlighted(row.text, needle));
      else if (row.found) row.textElement.textContent = row.text;
      if (found !== Boolean(row.found)) row.element.classList.toggle("match", found);
      row.found = found;
    }
    this.box.classList.toggle("only-matches", this.only.checked && needle !== "");
    this.point(at ? this.matches.indexOf(at) : -1);
  }

  point(index) {
    this.lines.querySelector(".current")?.classList.remove("current");
    this.current = index;
    this.matches[index]?.element.classList.add("current");
    this.report();
  }

  step(by) {
    if (!this.matches.length) return;
    const from = this.current < 0 && by < 0 ? 0 : this.current; // the first "previous" goes to the last match
    this.point((from + by + this.matches.length) % this.matches.length);
    this.reveal(this.matches[this.current]);
  }

  nextError() {
    const errors = this.rows.filter((row) => row.level === "error");
    if (!errors.length) return;
    if (this.preferences.hidden.includes("error")) this.toggleLevel("error");
    this.errorAt = (this.errorAt + 1) % errors.length;
    this.reveal(errors[this.errorAt]);
    this.mark(errors[this.errorAt].number, errors[this.errorAt].number);
  }

  // --- place ------------------------------------------------------------------------------------------------------

  reveal(row) {
    this.letGo();
    row.element.scrollIntoView({ block: "center" });
    requestAnimationFrame(() => row.element.scrollIntoView({ block: "center" })); // blocks near it have real heights now
  }

  choose(range, { scroll = false } = {}) {
    const [from, to = from] = String(range).split("-").map(Number);
    this.anchor = String(range);
    this.mark(from, to);
    const row = this.rows[from - this.first];
    if (row && !this.isShown(row)) this.toggleLevel(row.level);
    if (row && scroll) this.reveal(row);
  }

  mark(from, to) {
    for (const old of this.lines.querySelectorAll(".chosen")) old.classList.remove("chosen");
    for (let number = from; number <= to; number += 1) this.rows[number - this.first]?.element.classList.add("chosen");
  }

  topRow() {
    const top = this.box.getBoundingClientRect().top;
    return this.rows.find((row) => row.element.offsetParent && row.element.getBoundingClientRect().bottom > top);
  }

  atEnd() { return this.box.scrollTop + this.box.clientHeight >= this.box.scrollHeight - 8; }

  toEnd() {
    const jump = () => { this.box.scrollTop = this.box.scrollHeight; this.lastTop = this.box.scrollTop; };
    jump();
    requestAnimationFrame(jump); // the last block's real height is known only now
    this.unseen = 0;
    this.newer.hidden = true;
  }

  letGo() { this.follow.checked = false; }

  announceNewer(count) {
    this.unseen += count;
    this.newer.hidden = this.unseen === 0 || this.atEnd();
    this.newer.textContent = `${this.unseen.toLocaleString()} new ${this.unseen === 1 ? "line" : "lines"} ↓`;
  }

  // --- what people do ---------------------------------------------------------------------------------------------

  listen() {
    let typing = 0;
    this.search.oninput = () => { clearTimeout(typing); typing = setTimeout(() => this.find(), 120); };
    this.search.onkeydown = (event) => { if (event.key === "Enter") { this.find({ keep: true }); this.step(event.shiftKey ? -1 : 1); } };
    this.only.onchange = () => this.find({ keep: true });
    this.next.onclick = () => this.step(1);
    this.previous.onclick = () => this.step(-1);
    this.toError.onclick = () => this.nextError();
    for (const chip of this.chips) chip.onclick = () => this.toggleLevel(chip.dataset.level);
    this.times.onchange = () => this.setTimes(this.times.value);
    this.wrap.onchange = () => { this.preferences.wrap = this.wrap.checked; this.applyPreferences(); };
    this.follow.onchange = () => { if (this.follow.checked) this.toEnd(); };
    this.newer.onclick = () => { this.follow.checked = !this.followLabel.hidden; this.toEnd(); };
    this.earlier.onclick = () => { this.earlier.textContent = "Loading…"; this.send("earlier", this.first); };
    this.later.onclick = () => { this.later.textContent = "Loading…"; this.send("later", this.end); };
    this.box.onscroll = () => this.scrolled();
    this.lines.onclick = (event) => this.clicked(event);
    this.viewer.onkeydown = (event) => this.pressed(event);
  }

  toggleLevel(level) {
    const hidden = new Set(this.preferences.hidden);
    if (!hidden.delete(level)) hidden.add(level);
    this.preferences.hidden = [...hidden];
    const top = this.topRow();
    this.applyPreferences();
    if (this.follow.checked) this.toEnd();
    else if (top && this.isShown(top)) top.element.scrollIntoView({ block: "start" });
  }

  setTimes(style) {
    this.preferences.times = this.times.value = style;
    for (const row of this.rows) row.timeElement.textContent = this.timeText(row);
    this.applyPreferences();
  }

  scrolled() {
    if (this.box.scrollTop < this.lastTop - 2) this.letGo();
    else if (this.atEnd()) { this.follow.checked = !this.followLabel.hidden; this.unseen = 0; this.newer.hidden = true; }
    this.lastTop = this.box.scrollTop;
  }

  clicked(event) {
    const link = event.target.closest?.("a");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const number = Number(link.textContent), from = Number(String(this.anchor ?? "").split("-")[0]);
    const range = event.shiftKey && from ? `${Math.min(from, number)}-${Math.max(from, number)}` : String(number);
    this.choose(range);
    this.send("line", range);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input[type=search], select")) return;
    const keys = {
      "/": () => this.search.focus(),
      n: () => this.step(1),
      N: () => this.step(-1),
      e: () => this.nextError(),
      w: () => this.wrap.click(),
      f: () => { if (!this.followLabel.hidden) this.follow.click(); },
      t: () => this.setTimes(this.times.options[(this.times.selectedIndex + 1) % this.times.options.length].value),
      g: () => { this.letGo(); this.box.scrollTop = 0; },
      G: () => this.toEnd(),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }
}

// Text becomes text nodes only: nothing in a log is ever read as HTML.
function make(tag, className, text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

function highlighted(text, needle) {
  const lower = text.toLowerCase(), parts = [];
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    parts.push(text.slice(from, at), make("mark", "", text.slice(at, at + needle.length)));
    from = at + needle.length;
  }
  return [...parts, text.slice(from)];
}

function clock(moment) {
  const two = (number) => String(number).padStart(2, "0");
  return `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
}

function permalink(line) {
  const url = new URL(window.location.href);
  url.searchParams.set("line", line);
  return url.href;
}

function stored() {
  try { return JSON.parse(localStorage.getItem(PREFERENCES)) ?? {}; } catch { return {}; }
}

export default function (component) {
  const { parentElement } = component;
  let view = views.get(parentElement);
  if (!view) views.set(parentElement, (view = new View(parentElement)));
  view.update(component);
  return () => views.delete(parentElement);
}

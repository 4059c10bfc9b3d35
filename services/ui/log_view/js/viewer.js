// The viewer: knows what is shown (choice), asks for the lines near the screen, and does what people ask for.
const PREFERENCES = "pilothouse-log-view", FIRST_LINES = 300, MOST_LINES = 500, MOST_PAGES = 60;
const LIVE_MILLISECONDS = 1000, BUSY_MILLISECONDS = 250, TYPING_MILLISECONDS = 250;
const PARTS = ["viewer", "source", "try", "search", "previous", "next", "regex", "only", "to-error", "node", "times", "wrap", "follow",
  "menu", "download-shown", "download-all", "download-raw", "full", "help-button", "notice", "box", "pad", "empty", "newer", "status", "help"];

class Viewer {
  constructor(root) {
    for (const part of PARTS) this[part.replace(/-(.)/g, (_, letter) => letter.toUpperCase())] = root.querySelector(`.${part}`);
    this.followLabel = root.querySelector(".follow-label");
    this.totalText = root.querySelector(".total");
    this.nodes = root.querySelector("datalist");
    this.chips = [...root.querySelectorAll(".chip")];
    this.preferences = { times: "local", wrap: false, ...stored() };
    this.server = new Server(() => this.trigger("ticket", Date.now()));
    this.scroller = new Scroller(this.box, this.pad, (page, known) => this.drawPage(page, known));
    this.scroller.moved = (way) => this.moved(way);
    this.choice = new Choice();
    this.reset();
    this.listen();
    listenToKeys(this);
    this.applyPreferences();
  }

  // Everything that was known of another choice of lines.
  reset() {
    this.epoch = (this.epoch ?? 0) + 1; // answers to older questions are not taken
    Object.assign(this, { pages: new Map(), total: 0, version: "", complete: false, read: 1, searched: 1, lines: 0, unseen: 0 });
    Object.assign(this, { matches: null, current: "", said: "" });
    this.newer.hidden = true;
  }

  // --- what the page says -----------------------------------------------------------------------------------------

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    const before = this.data, choice = Choice.fromAddress();
    this.data = data;
    this.server.ticket = data.ticket;
    this.box.style.height = `${data.height}px`;
    this.followLabel.hidden = !data.live;
    fillSelect(this.source, data.sources);
    fillSelect(this.try, data.tries.map(({ number }) => [number, `Try ${number}`]));
    this.try.hidden = data.tries.length < 2;
    const isOther = before?.run !== data.run || before.tries.length !== data.tries.length || before.jump !== data.jump;
    if (isOther || choice.key !== this.choice.key) this.open(choice);
    else if (before.live && !data.live) this.tick();
  }

  get invocation() { return this.data.tries.find(({ number }) => number === this.choice.try) ?? this.data.tries.at(-1); }

  stop() {
    this.reset();
    clearTimeout(this.timer);
    this.isGone = true;
  }

  // --- opening ----------------------------------------------------------------------------------------------------

  // Show a choice: at its line, at what it looks for, or at its newest lines.
  async open(choice) {
    this.choose(choice);
    this.follow.checked = this.data.live && !choice.line && !choice.find;
    if (choice.line) await this.openLine();
    else if (await this.load({ end: "1" })) {
      this.scroller.goToEnd();
      if (choice.find) await this.seek(1, -1);
    }
    if (choice.line || choice.find) this.viewer.scrollIntoView({ block: "nearest" });
    this.goOn();
  }

  choose(choice) {
    this.choice = choice;
    this.reset();
    this.server.address = new URL(`${this.data.base}/${this.invocation.id}`, document.baseURI).href;
    this.source.value = choice.source;
    this.try.value = String(this.invocation.number);
    for (const chip of this.chips) chip.setAttribute("aria-pressed", choice.levels.includes(chip.dataset.level));
    if (this.search.getRootNode().activeElement !== this.search) this.search.value = choice.find;
    this.node.value = choice.node;
    this.regex.checked = choice.regex;
    this.only.checked = choice.only;
    this.only.disabled = !choice.find;
  }

  // The line of the address. A filter, or another source, that would hide it gives way.
  async openLine() {
    const { line, range, source } = this.choice, wanted = `${range.log}${range.from}`;
    const own = range.log && source !== "all" ? { source: "airflow" } : !range.log && source === "airflow" ? { source: "dbt" } : {};
    for (const change of [own, { levels: LEVELS, node: "", only: false }, { source: "all" }]) {
      const choice = Object.assign(new Choice(), this.choice, change, { line });
      if (choice.key !== this.choice.key) this.choose(choice);
      const answer = await this.load({ line: wanted });
      if (!answer) return;
      if (answer.at !== null && this.rowAt(answer.at)?.[0] === wanted) {
        this.scroller.reveal(answer.at);
        this.choice.write();
        return;
      }
    }
    this.tell(`There is no line ${wanted.replace("a", "")} in this log.`);
    this.scroller.goToEnd();
  }

  // Lines for a new choice. While the log's index is being made, a line that is not known yet is waited for.
  async load(where) {
    const epoch = this.epoch;
    for (;;) {
      const answer = await this.ask("rows", { ...this.choice.question, ...where, count: FIRST_LINES });
      if (!answer || epoch !== this.epoch) return null;
      this.pages.clear();
      this.scroller.forget();
      this.take({ ...answer, same: 0 });
      if (!where.line || answer.at !== null || answer.read === 1) return answer;
      await pause(BUSY_MILLISECONDS);
      if (epoch !== this.epoch) return null;
    }
  }

  // Another filter over the same log: what stood at the top stays there, as far as it is still shown.
  async change(changes) {
    const top = this.rowAt(this.scroller.firstPosition)?.[0], wasFollowing = this.follow.checked;
    this.choose(Object.assign(new Choice(), this.choice, changes));
    this.choice.write();
    const answer = await this.load(wasFollowing || !top || "source" in changes || "try" in changes ? { end: "1" } : { line: top });
    if (!answer) return false;
    if (answer.at === null) this.scroller.goToEnd();
    else this.scroller.goToPosition(answer.at);
    this.goOn();
    return true;
  }

  // --- lines ------------------------------------------------------------------------------------------------------

  // The console's answer, or null when it can't be had; then the reason is shown.
  async ask(what, parameters) {
    try {
      const answer = await this.server.ask(what, parameters);
      this.tell("");
      return answer;
    } catch (error) {
      this.tell(error.message);
      return null;
    }
  }

  take(answer) {
    const same = Math.min(answer.same, this.total);
    for (const [page, rows] of [...this.pages]) {
      if (page * PAGE_LINES >= same) this.pages.delete(page);
      else if ((page + 1) * PAGE_LINES > same) rows.length = Math.min(rows.length, same - page * PAGE_LINES);
    }
    for (const name of ["total", "version", "complete", "read", "searched", "lines"]) this[name] = answer[name];
    answer.rows.forEach((row, place) => {
      const position = answer.first + place, page = Math.floor(position / PAGE_LINES);
      if (!this.pages.has(page)) this.pages.set(page, []);
      this.pages.get(page)[position % PAGE_LINES] = row;
    });
    this.scroller.setRows(answer.heights.first, answer.heights.pages);
    for (const chip of this.chips) chip.querySelector("b").textContent = answer.counts[chip.dataset.level].toLocaleString();
    this.toError.disabled = !answer.counts.error;
    this.report();
  }

  rowAt(position) { return this.pages.get(Math.floor(position / PAGE_LINES))?.[position % PAGE_LINES]; }

  isWhole(page) {
    const rows = this.pages.get(page), size = Math.min(PAGE_LINES, this.total - page * PAGE_LINES);
    return rows !== undefined && rows.length >= size && !rows.includes(undefined);
  }

  // Fetch what is missing near the screen, wherever that is by then.
  async fill() {
    if (this.isFilling) return;
    this.isFilling = true;
    try {
      for (let pages = this.missing(); pages.length && !this.isGone; pages = this.missing()) {
        const epoch = this.epoch, count = Math.min(MOST_LINES, (pages.at(-1) - pages[0] + 1) * PAGE_LINES);
        const asked = { ...this.choice.question, first: pages[0] * PAGE_LINES, count, version: this.version };
        const answer = await this.ask("rows", asked);
        if (!answer) break;
        if (epoch !== this.epoch) continue;
        this.take(answer);
        this.scroller.draw();
      }
    } finally {
      this.isFilling = false;
    }
    this.dropFarPages();
  }

  missing() {
    const [first, last] = this.scroller.range, pages = [];
    for (let page = Math.max(0, first - 1); page <= Math.min(last + 1, this.scroller.rows.length - 1); page += 1) {
      if (!this.isWhole(page)) pages.push(page);
    }
    return pages;
  }

  dropFarPages() {
    if (this.pages.size <= MOST_PAGES) return;
    const [middle] = this.scroller.range, far = [...this.pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const page of far.slice(0, this.pages.size - MOST_PAGES / 2)) this.pages.delete(page);
  }

  drawPage(page, known) {
    const rows = this.pages.get(page);
    if (!rows?.[0]) return this.placeholder(page, known);
    const element = known && !known.dataset.placeholder ? known : make("div", "page");
    element.setAttribute("role", "presentation");
    if (this.isWhole(page)) delete element.dataset.partial;
    else element.dataset.partial = "1";
    const options = this.lineOptions();
    for (let place = 0; place < Math.max(rows.length, element.childElementCount); place += 1) {
      const row = rows[place], there = element.children[place];
      if (!row) {
        while (element.children[place]) element.lastChild.remove();
        break;
      }
      if (there?.dataset.line === row[0]) continue;
      const line = drawLine(row, page * PAGE_LINES + place, { ...options, chosen: this.choice.includes(row[0]), current: row[0] === this.current });
      if (there) there.replaceWith(line);
      else element.append(line);
    }
    return element;
  }

  placeholder(page, known) {
    const element = known?.dataset.placeholder ? known : make("div", "page loading", "Loading…");
    element.dataset.placeholder = "1";
    element.setAttribute("role", "presentation");
    element.style.height = `${this.scroller.rows[page] * ROW_PIXELS}px`;
    return element;
  }

  lineOptions() {
    const address = this.choice.addressWith({ line: null });
    const prefix = `${address.pathname}${address.search}${address.search ? "&" : "?"}line=`;
    return {
      total: this.total, href: (line) => prefix + line, time: clock(this.preferences.times, this.invocation.start),
      withOrigin: this.choice.source === "all", whole: (...what) => this.showWhole(...what),
    };
  }

  async showWhole(line, said, button) {
    button.disabled = true;
    const answer = await this.ask(`lines/${line}`, { source: this.choice.source });
    if (answer) said.textContent = answer.text;
    else button.disabled = false;
    this.scroller.draw();
  }

  // --- following --------------------------------------------------------------------------------------------------

  get isLive() { return this.data.live && !this.complete; }
  get isBusy() { return this.read < 1 || this.searched < 1; }

  // Draw, fetch what is missing, and ask again later if anything may still change.
  goOn() {
    this.scroller.draw();
    this.fill();
    clearTimeout(this.timer);
    if (this.isGone || !(this.isLive || this.isBusy)) return;
    this.timer = setTimeout(() => this.tick(), this.isBusy ? BUSY_MILLISECONDS : LIVE_MILLISECONDS);
  }

  async tick() {
    clearTimeout(this.timer);
    if (this.isGone || document.hidden) return; // asked again when the page is looked at
    const epoch = this.epoch, before = this.total;
    const more = { first: before, count: this.follow.checked ? FIRST_LINES : 0, version: this.version };
    const answer = await this.ask("rows", { ...this.choice.question, ...more });
    if (epoch === this.epoch && answer) {
      this.take(answer);
      if (this.follow.checked) this.scroller.goToEnd();
      else this.announceNewer(this.total - before);
    }
    this.goOn();
  }

  moved(way) {
    if (way < 0) this.follow.checked = false;
    else if (this.scroller.atEnd) {
      this.follow.checked = this.isLive;
      this.announceNewer(-this.unseen);
    }
    this.fillSoon ??= setTimeout(() => { this.fillSoon = undefined; this.fill(); }, 40);
  }

  announceNewer(count) {
    this.unseen = Math.max(0, this.unseen + count);
    this.newer.hidden = this.unseen === 0;
    this.newer.textContent = `${this.unseen.toLocaleString()} new ${this.unseen === 1 ? "line" : "lines"} ↓`;
  }

  goToStart() { this.follow.checked = false; this.scroller.go(0); this.goOn(); }

  goToEnd() {
    this.follow.checked = this.isLive;
    this.announceNewer(-this.unseen);
    this.scroller.goToEnd();
    this.goOn();
  }

  // --- search, errors, lines --------------------------------------------------------------------------------------

  // Go to the next place. The console searches a piece at a time; a newer search ends this one.
  async seek(way, row, what = {}) {
    const epoch = this.epoch, seeking = (this.seeking = (this.seeking ?? 0) + 1);
    const asked = { ...this.choice.question, ...what, row, ...(way < 0 ? { back: "1" } : {}) };
    for (let gone = false; ;) {
      const answer = await this.ask("place", asked);
      if (!answer || epoch !== this.epoch || seeking !== this.seeking) return;
      if (!what.what) this.matches = answer;
      if (answer.at !== null && !gone) {
        gone = true;
        await this.show(answer.at, answer.line);
      }
      this.report();
      if (answer.searched === 1 && answer.read === 1) return;
      if (answer.searched === 1) await pause(BUSY_MILLISECONDS);
    }
  }

  step(way) { if (this.choice.find) this.seek(way, this.placeOf(this.current) ?? this.scroller.firstPosition - (way > 0 ? 1 : 0)); }

  async nextError(way) {
    if (!this.choice.levels.includes("error")) await this.change({ levels: LEVELS.filter((level) => level === "error" || this.choice.levels.includes(level)) });
    await this.seek(way, this.placeOf(this.current) ?? -1, { what: "error" });
  }

  placeOf(line) {
    for (const [page, rows] of this.pages) {
      const place = rows.findIndex((row) => row?.[0] === line);
      if (line && place >= 0) return page * PAGE_LINES + place;
    }
    return null;
  }

  // Bring a row to the screen and point at it.
  async show(position, line) {
    const epoch = this.epoch, page = Math.floor(position / PAGE_LINES);
    this.follow.checked = false;
    if (!this.isWhole(page)) {
      const around = { first: Math.max(0, page - 1) * PAGE_LINES, count: FIRST_LINES, version: this.version };
      const answer = await this.ask("rows", { ...this.choice.question, ...around });
      if (!answer || epoch !== this.epoch) return;
      this.take(answer);
    }
    this.point(line);
    this.scroller.reveal(position);
    this.fill();
  }

  point(line) {
    this.current = line;
    for (const row of this.pad.querySelectorAll(".row")) row.classList.toggle("current", row.dataset.line === line);
  }

  chooseLine(line, { extend = false } = {}) {
    const range = this.choice.range, number = Number(line.replace("a", "")), log = line.startsWith("a") ? "a" : "";
    const isRange = extend && range && range.log === log && range.from !== number;
    this.choice.line = isRange ? `${log}${Math.min(range.from, number)}-${Math.max(range.from, number)}` : line;
    this.choice.write();
    this.follow.checked = false;
    for (const row of this.pad.querySelectorAll(".row")) row.classList.toggle("chosen", this.choice.includes(row.dataset.line));
  }

  async chooseNext(way) {
    const from = this.placeOf(this.choice.range ? `${this.choice.range.log}${this.choice.range.from}` : "") ?? this.scroller.firstPosition - way;
    const position = Math.max(0, Math.min(this.total - 1, from + way)), row = this.rowAt(position);
    if (!row) return;
    this.chooseLine(row[0]);
    this.scroller.reveal(position);
    this.pad.querySelector(".chosen > a")?.focus({ preventScroll: true });
    this.fill();
  }

  // --- words ------------------------------------------------------------------------------------------------------

  report() {
    const counted = (count, one, many) => `${count.toLocaleString()} ${count === 1 ? one : many}`;
    const some = this.total === this.lines ? "" : `${this.total.toLocaleString()} of `;
    const reading = this.read < 1 ? `, reading the log: ${Math.floor(this.read * 100)} %` : "";
    this.totalText.textContent = `${some}${counted(this.lines, "line", "lines")}${reading}`;
    this.status.textContent = this.choice.find && this.matches ? this.found() : "";
    this.previous.disabled = this.next.disabled = !this.matches?.count;
    this.empty.hidden = this.total > 0 || this.isBusy;
    this.empty.textContent = this.lines ? "No line matches what you chose." : this.data.empty;
  }

  found() {
    const { count, number, hidden, searched } = this.matches;
    const at = count ? `${number.toLocaleString()} of ` : "";
    const more = hidden ? `, ${hidden.toLocaleString()} more in hidden levels` : "";
    const going = searched < 1 ? `, searched ${Math.floor(searched * 100)} %` : "";
    return `${at}${count.toLocaleString()} ${count === 1 ? "match" : "matches"}${more}${going}`;
  }

  tell(text) {
    if (text === this.said) return;
    this.said = text;
    this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  // --- preferences ------------------------------------------------------------------------------------------------

  applyPreferences() {
    const { times, wrap } = this.preferences, top = this.scroller.firstPosition, wasAtEnd = this.scroller.atEnd;
    this.times.value = times;
    this.wrap.checked = wrap;
    this.viewer.classList.toggle("wrapped", wrap);
    this.viewer.classList.toggle("no-time", times === "none");
    this.viewer.dataset.times = times;
    try { localStorage.setItem(PREFERENCES, JSON.stringify(this.preferences)); } catch { /* private window: not kept */ }
    if (!this.data) return;
    this.scroller.forget();
    if (wasAtEnd) this.scroller.goToEnd();
    else this.scroller.goToPosition(top);
    this.fill();
  }

  nextTimes() {
    const options = [...this.times.options].map((option) => option.value);
    this.preferences.times = options[(this.times.selectedIndex + 1) % options.length];
    this.applyPreferences();
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.viewer.requestFullscreen?.();
  }

  // --- what people do ---------------------------------------------------------------------------------------------

  listen() {
    let typing = 0;
    this.search.oninput = () => { clearTimeout(typing); typing = setTimeout(() => this.look(), TYPING_MILLISECONDS); };
    this.search.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      clearTimeout(typing);
      if (this.search.value !== this.choice.find) this.look();
      else this.step(event.shiftKey ? -1 : 1);
    };
    this.regex.onchange = () => this.look({ regex: this.regex.checked });
    this.only.onchange = () => this.change({ only: this.only.checked }).then(() => this.choice.find && this.seek(1, this.scroller.firstPosition - 1));
    this.next.onclick = () => this.step(1);
    this.previous.onclick = () => this.step(-1);
    this.toError.onclick = () => this.nextError(1);
    this.source.onchange = () => this.change({ source: this.source.value, line: "" });
    this.try.onchange = () => this.change({ try: Number(this.try.value) === this.data.tries.at(-1).number ? 0 : Number(this.try.value), line: "" });
    this.node.onfocus = () => this.listNodes();
    this.node.onchange = () => this.chooseNode();
    for (const chip of this.chips) chip.onclick = () => this.toggleLevel(chip.dataset.level);
    this.times.onchange = () => { this.preferences.times = this.times.value; this.applyPreferences(); };
    this.wrap.onchange = () => { this.preferences.wrap = this.wrap.checked; this.applyPreferences(); };
    this.follow.onchange = () => { if (this.follow.checked) this.goToEnd(); };
    this.newer.onclick = () => this.goToEnd();
    this.full.onclick = () => this.fullScreen();
    this.helpButton.onclick = () => this.help.showModal();
    this.downloadShown.onclick = () => this.download(this.choice.question);
    this.downloadAll.onclick = () => this.download({ source: this.choice.source });
    this.downloadRaw.onclick = () => this.download({ source: this.choice.source, raw: "1" });
    this.pad.onclick = (event) => this.clicked(event);
    this.seeAgain = () => { if (!document.hidden && (this.isLive || this.isBusy)) this.tick(); };
    document.addEventListener("visibilitychange", this.seeAgain);
    new ResizeObserver(() => {
      if (!this.data) return;
      if (this.follow.checked) this.scroller.goToEnd();
      this.goOn();
    }).observe(this.box);
  }

  async look(changes = {}) {
    const find = this.search.value;
    if (find === this.choice.find && !("regex" in changes)) return;
    if (await this.change({ find, only: this.choice.only && find !== "", ...changes }) && find) {
      await this.seek(1, this.scroller.firstPosition - 1);
    }
  }

  toggleLevel(level) {
    const levels = LEVELS.filter((one) => this.choice.levels.includes(one) !== (one === level));
    this.change({ levels }).then(() => this.choice.find && this.seek(1, this.scroller.firstPosition - 1));
  }

  async listNodes() {
    const { id } = this.invocation;
    if (this.nodesOf === id && !this.isLive) return;
    const nodes = await this.ask("nodes", {});
    if (!nodes) return;
    this.nodesOf = id;
    this.known = Object.keys(nodes);
    this.nodes.replaceChildren(...this.known.map((name) => Object.assign(make("option"), { value: name, label: `${nodes[name].toLocaleString()} lines` })));
  }

  // A node's unique_id, or the end of one.
  async chooseNode() {
    const text = this.node.value.trim();
    if (!this.known) await this.listNodes();
    const node = text && (this.known ?? []).find((name) => name === text || name.endsWith(`.${text}`));
    if (text && !node) { this.tell(`No line of this log is about ${text}.`); return; }
    this.change({ node: node || "" });
  }

  download(parameters) {
    this.menu.open = false;
    this.server.download(parameters);
  }

  clicked(event) {
    const link = event.target.closest?.("a.number");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.chooseLine(link.parentElement.dataset.line, { extend: event.shiftKey });
  }
}

function fillSelect(select, options) {
  const key = JSON.stringify(options);
  if (select.dataset.options === key) return;
  select.dataset.options = key;
  select.replaceChildren(...options.map(([value, label]) => Object.assign(make("option", "", label), { value })));
}

function stored() {
  try { return JSON.parse(localStorage.getItem(PREFERENCES)) ?? {}; } catch { return {}; }
}

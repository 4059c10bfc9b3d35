// The lines that are known, by pages of 100; fetched when they come near the screen, dropped when they are far away,
// and followed while the log grows. `choice` says which lines; `server` has them; `scroller` lays them out.
const FIRST_LINES = 300, MOST_LINES = 500, MOST_PAGES = 60, LIVE_MILLISECONDS = 1000, BUSY_MILLISECONDS = 250;

class LogPages {
  // Everything that was known of another choice of lines.
  reset() {
    this.epoch = (this.epoch ?? 0) + 1; // answers to older questions are not taken
    Object.assign(this, { pages: new Map(), total: 0, version: "", complete: false, read: 1, searched: 1, lines: 0, unseen: 0 });
    Object.assign(this, { matches: null, current: "", said: "" });
    this.newer.hidden = true;
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

  // The console's answer, or null when it can't be had; then the reason is shown.
  async ask(what, parameters) {
    try {
      const answer = await this.server.ask(what, parameters);
      if (!this.isLasting) this.tell("");
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
    const epoch = this.epoch, before = this.total, wasBusy = this.isBusy;
    const more = { first: before, count: this.follow.checked || wasBusy ? FIRST_LINES : 0, version: this.version };
    const answer = await this.ask("rows", { ...this.choice.question, ...more });
    if (epoch === this.epoch && answer) {
      const staysAtEnd = this.follow.checked || (wasBusy && this.scroller.atEnd); // one may have scrolled up meanwhile
      this.take(answer);
      if (staysAtEnd) this.scroller.goToEnd();
      else if (this.data.live) this.announceNewer(this.total - before);
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
}

// Ways to places in the log: the next match, the next error, a line of an address.
class LogPlaces extends LogPages {
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

  // The line of the address. A filter, or another source, that would hide it gives way.
  async openLine() {
    const asked = this.choice, { line, range, source } = asked, wanted = `${range.log}${range.from}`;
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
    this.choose(Object.assign(new Choice(), asked, { line: "" }));
    if (await this.load({ end: "1" })) this.scroller.goToEnd();
    this.tell(`There is no line ${wanted.replace("a", "")} in this log.`, true);
  }
}

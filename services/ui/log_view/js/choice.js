// What is shown of the log lives in the page's address, and nowhere else: source, try, levels, node, search, line.
const LEVELS = ["error", "warn", "info", "debug"];
const USUAL_LEVELS = "error,warn,info";

class Choice {
  constructor(parameters = new URLSearchParams()) {
    const text = (name) => parameters.get(name) ?? "";
    const levels = (text("levels") || USUAL_LEVELS).split(",");
    this.source = text("source") || "dbt";
    this.try = Number(text("try")) || 0; // 0: the last one
    this.levels = LEVELS.filter((level) => levels.includes(level));
    this.node = text("about");
    this.find = text("find");
    this.regex = text("regex") === "1";
    this.only = text("only") === "1";
    this.line = /^a?[1-9]\d{0,8}(-[1-9]\d{0,8})?$/.test(text("line")) ? text("line") : "";
  }

  static fromAddress() { return new Choice(new URLSearchParams(window.location.search)); }

  // The parameters of the address; null for what is as usual.
  get parameters() {
    const levels = this.levels.join(",") || "none";
    return {
      source: this.source === "dbt" ? null : this.source, try: this.try || null,
      levels: levels === USUAL_LEVELS ? null : levels, about: this.node || null, find: this.find || null,
      regex: this.find && this.regex ? "1" : null, only: this.find && this.only ? "1" : null, line: this.line || null,
    };
  }

  // The parameters of a question to the console.
  get question() {
    const asked = { source: this.source };
    const hidden = LEVELS.filter((level) => !this.levels.includes(level));
    if (hidden.length) asked.hide = hidden.join(",");
    if (this.node) asked.node = this.node;
    if (this.find) asked.find = this.find;
    if (this.find && this.regex) asked.regex = "1";
    if (this.find && this.only) asked.only = "1";
    return asked;
  }

  get key() { return JSON.stringify(this.parameters); }

  addressWith(changes) {
    const url = new URL(window.location.href);
    for (const [name, value] of Object.entries({ ...this.parameters, ...changes })) {
      if (value === null || value === "") url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    return url;
  }

  write() { window.history.replaceState(window.history.state, "", this.addressWith({})); }

  // The first and last line of the range chosen, and which log they are of: `a` for Airflow's.
  get range() {
    if (!this.line) return null;
    const [from, to = from] = this.line.replace("a", "").split("-").map(Number);
    return { log: this.line.startsWith("a") ? "a" : "", from, to };
  }

  includes(line) {
    const range = this.range, log = line.startsWith("a") ? "a" : "", number = Number(line.replace("a", ""));
    return range !== null && log === range.log && range.from <= number && number <= range.to;
  }
}

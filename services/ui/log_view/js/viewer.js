// The viewer: opens what the page and its address say, and does what people ask for with its tools.
const PREFERENCES = "pilothouse-log-view", TYPING_MILLISECONDS = 250, HOLD_MILLISECONDS = 8000;
const TOUCHES = ["wheel", "pointerdown", "keydown", "touchstart"];
const PARTS = ["viewer", "source", "try", "search", "previous", "next", "regex", "only", "to-error", "node", "times", "wrap", "follow",
  "menu", "download-shown", "download-all", "download-raw", "full", "help-button", "notice", "box", "pad", "empty", "missing-end", "newer", "status", "help"];

class Viewer extends LogPlaces {
  constructor(root) {
    super();
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
    this.release?.();
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
    if (choice.line || choice.find) this.hold();
    this.goOn();
  }

  // What is above the viewer may still be growing: keep the viewer on the screen until somebody touches the page.
  hold() {
    this.release?.();
    const page = this.viewer.getRootNode().host?.closest("[data-testid='stMainBlockContainer']") ?? document.body;
    const grown = new ResizeObserver(() => this.viewer.scrollIntoView({ block: "center" }));
    this.release = () => {
      grown.disconnect();
      clearTimeout(later);
      for (const touch of TOUCHES) window.removeEventListener(touch, this.release);
    };
    const later = setTimeout(this.release, HOLD_MILLISECONDS);
    for (const touch of TOUCHES) window.addEventListener(touch, this.release, { passive: true });
    grown.observe(page);
  }

  choose(choice) {
    this.choice = choice;
    this.reset();
    this.tell("");
    this.server.address = new URL(`${this.data.base}/${this.invocation.id}`, document.baseURI).href;
    this.source.value = choice.source;
    this.try.value = String(this.invocation.number);
    for (const chip of this.chips) chip.setAttribute("aria-pressed", choice.levels.includes(chip.dataset.level));
    if (!this.typing) this.search.value = choice.find;
    this.node.value = choice.node;
    this.regex.checked = choice.regex;
    this.only.checked = choice.only;
    this.only.disabled = !choice.find;
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
    this.missingEnd.hidden = !this.invocation.missing || this.choice.source === "airflow";
    this.missingEnd.textContent = this.invocation.missing;
  }

  found() {
    const { count, number, hidden, searched } = this.matches;
    const at = count ? `${number.toLocaleString()} of ` : "";
    const more = hidden ? `, ${hidden.toLocaleString()} more in hidden levels` : "";
    const going = searched < 1 ? `, searched ${Math.floor(searched * 100)} %` : "";
    return `${at}${count.toLocaleString()} ${count === 1 ? "match" : "matches"}${more}${going}`;
  }

  // Say something: until the console answers again, or, what is `lasting`, until something else is chosen.
  tell(text, isLasting = false) {
    this.isLasting = isLasting;
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
    this.search.oninput = () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.look(), TYPING_MILLISECONDS);
    };
    this.search.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      clearTimeout(this.typing);
      this.typing = 0;
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
    this.typing = 0;
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
    if (text && !node) { this.tell(`No line of this log is about ${text}.`, true); return; }
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

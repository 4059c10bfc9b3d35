// A real table of runs. Rows stay the same elements while their runs are on the page, so that neither the focus nor a
// choice is lost when news comes; times that go on are counted here.
const COLUMNS = [
  ["run", "Run"], ["what", "Project and command"], ["nodes", "Nodes"], ["created", "Created"], ["ran", "Ran for"],
  ["by", "Launched by"], ["where", "Runs on"], ["commit", "Commit"],
];
const NODES = [["ok", "✔", "green"], ["warned", "▲", "orange"], ["failed", "✖", "red"], ["skipped", "»", "gray"]];

class RunTable {
  constructor(section) {
    this.rows = new Map();
    this.chosen = new Set();
    this.all = element("input", { type: "checkbox", ariaLabel: "Choose all runs of this page" });
    this.all.onchange = () => this.choose(this.all.checked ? this.data.runs.map((run) => run.id) : []);
    this.body = element("tbody");
    this.bar = new ChosenBar(this);
    this.menu = new RowMenu(this);
    const heads = COLUMNS.map(([name, title]) => element("th", { scope: "col", className: name }, title));
    const orders = element("th", { scope: "col", className: "orders" }, element("span", { className: "hidden" }, "Orders"));
    const head = element("tr", {}, element("th", { scope: "col", className: "choice" }, this.all), ...heads, orders);
    const table = element("table", {}, element("caption", { className: "hidden" }, "Runs: those that live, then the newest"),
      element("thead", {}, head), this.body);
    const box = element("div", { className: "box", tabIndex: 0, role: "region", ariaLabel: "Runs" }, table);
    section.replaceChildren(this.bar.element, box, this.menu.element);
    this.clock = setInterval(() => this.tick(), 1000);
  }

  stop() { clearInterval(this.clock); }

  update({ columns, ...data }, tell) {
    const whole = Object.entries(columns).map(([name, [values, places]]) => [name, places?.map((place) => values[place]) ?? values]);
    data.runs = (whole[0]?.[1] ?? []).map((_, row) => Object.fromEntries(whole.map(([name, values]) => [name, values[row]])));
    Object.assign(this, { data, ahead: Date.now() / 1000 - data.now });
    this.order = (what, ids) => tell({ what, runs: ids });
    const known = this.rows;
    this.rows = new Map(data.runs.map((run) => [run.id, known.get(run.id) ?? new Row(this, run.id)]));
    data.runs.forEach((run, place) => {
      const row = this.rows.get(run.id);
      row.fill(run);
      if (this.body.rows[place] !== row.element) this.body.insertBefore(row.element, this.body.rows[place] ?? null);
    });
    while (this.body.rows.length > data.runs.length) this.body.lastChild.remove();
    this.choose([...this.chosen].filter((id) => this.rows.has(id)));
    this.tick();
  }

  // The server's time, by which all others are.
  get now() { return Date.now() / 1000 - this.ahead; }

  tick() { for (const row of this.rows.values()) row.tick(this.now); }

  choose(ids) {
    this.chosen = new Set(ids);
    for (const [id, row] of this.rows) row.choose(this.chosen.has(id));
    this.all.checked = this.chosen.size > 0 && this.chosen.size === this.rows.size;
    this.all.indeterminate = this.chosen.size > 0 && !this.all.checked;
    this.bar.draw(this.data.runs.filter((run) => this.chosen.has(run.id)));
  }
}

class Row {
  constructor(table, id) {
    Object.assign(this, { table, id, known: "" });
    this.box = element("input", { type: "checkbox", ariaLabel: `Choose run ${id}` });
    this.box.onchange = () => {
      const others = [...table.chosen].filter((other) => other !== id);
      table.choose(this.box.checked ? [...others, id] : others);
    };
    this.number = link(`run?run_id=${id}`, { title: `Open run ${id}` }, () => table.order("open", [id]), `${id}`);
    this.state = element("div");
    this.button = element("button", { type: "button", title: "What can be done", ariaLabel: `Orders for run ${id}`, ariaHasPopup: "menu", ariaExpanded: "false" }, "⋯");
    this.button.onclick = () => table.menu.open(this.button, this.run);
    this.cells = Object.fromEntries(COLUMNS.map(([name]) => [name, element("td", { className: name })]));
    this.cells.run.append(this.number, this.state);
    this.element = element("tr", {}, element("td", { className: "choice" }, this.box), ...Object.values(this.cells),
      element("td", { className: "orders" }, this.button));
  }

  fill(run) {
    const key = JSON.stringify(run);
    if (key === this.known) return;
    Object.assign(this, { run, known: key });
    const [word, glyph, colour] = this.table.data.states[run.state];
    Object.assign(this.state, { className: colour, title: run.message });
    this.state.replaceChildren(mark(glyph), ` ${word}`);
    const { what, nodes, created, ran, by, where, commit } = this.cells;
    what.replaceChildren(element("b", {}, run.project), element("code", { title: `dbt ${run.whole || run.command}` }, run.command));
    nodes.replaceChildren(...nodesOf(run.nodes));
    this.created = element("time", { title: `${new Date(run.created * 1000).toLocaleString()}`, dateTime: new Date(run.created * 1000).toISOString() });
    this.queued = element("small");
    created.replaceChildren(this.created, this.queued);
    this.ran = element("span");
    ran.replaceChildren(this.ran, against(run));
    by.replaceChildren(run.by, element("small", {}, run.how));
    where.replaceChildren(run.operator, element("small", {}, run.target));
    commit.replaceChildren(element("code", {}, run.commit));
  }

  tick(now) {
    const { created, started, ended } = this.run;
    write(this.created, ago(now - created));
    write(this.queued, `queued ${duration((started ?? ended ?? now) - created)}`);
    write(this.ran, started === null ? "–" : duration((ended ?? now) - started));
  }

  choose(isChosen) {
    this.box.checked = isChosen;
    this.element.classList.toggle("chosen", isChosen);
  }
}

// Above the table while runs are chosen: how many, and what can be done with them together.
class ChosenBar {
  constructor(table) {
    this.said = element("span", { role: "status" });
    this.cancel = element("button", { type: "button" });
    this.compare = element("button", { type: "button", title: "Choose two runs to compare them." }, "Compare");
    this.none = element("button", { type: "button" }, "Choose none");
    this.compare.onclick = () => table.order("compare", this.ids);
    this.cancel.onclick = () => table.order("cancel", this.live);
    this.none.onclick = () => table.choose([]);
    this.element = element("div", { className: "bar", hidden: true }, this.said, this.cancel, this.compare, this.none);
  }

  draw(runs) {
    const several = (count) => `${count} ${count === 1 ? "run" : "runs"}`;
    this.ids = runs.map((run) => run.id);
    this.live = runs.filter((run) => run.orders.includes("cancel")).map((run) => run.id);
    this.element.hidden = !runs.length;
    write(this.said, runs.length ? `${several(runs.length)} chosen` : "");
    write(this.cancel, this.live.length ? `Cancel ${several(this.live.length)}` : "Cancel");
    this.cancel.disabled = !this.live.length;
    this.cancel.title = this.live.length ? "" : "None of the chosen runs can be cancelled: they are over, or being cancelled.";
    this.compare.disabled = runs.length !== 2;
  }
}

// One menu for all rows, in the browser's top layer.
class RowMenu {
  constructor(table) {
    this.table = table;
    this.element = element("div", { popover: "auto", className: "menu", role: "menu" });
    this.element.ontoggle = (event) => this.toggled(event.newState === "open");
    this.element.onkeydown = (event) => this.pressed(event);
  }

  open(button, run) {
    if (this.button === button) return;
    const items = ["open", ...run.orders, "link"].map((order) => {
      const item = element("button", { type: "button", role: "menuitem", tabIndex: -1 }, this.table.data.orders[order]);
      item.onclick = () => { this.element.hidePopover(); this.table.order(order, [run.id]); };
      return item;
    });
    if (run.airflow !== null) items.push(element("a", { href: this.table.data.airflow + run.airflow, target: "_blank", rel: "noreferrer", role: "menuitem", tabIndex: -1 }, "Open in Airflow ↗"));
    this.element.ariaLabel = `Orders for run ${run.id}`;
    this.element.replaceChildren(...items);
    this.button = button;
    this.element.showPopover();
    this.place(button.getBoundingClientRect());
    items[0].focus();
  }

  place({ top, bottom, right }) {
    const { offsetWidth, offsetHeight, style } = this.element;
    style.left = `${Math.max(4, right - offsetWidth)}px`;
    style.top = `${bottom + offsetHeight > window.innerHeight ? Math.max(4, top - offsetHeight) : bottom}px`;
  }

  toggled(isOpen) {
    this.button.ariaExpanded = String(isOpen);
    if (isOpen) return;
    this.button.focus({ preventScroll: true });
    this.button = null;
  }

  pressed(event) {
    const items = [...this.element.children], at = items.indexOf(event.target), last = items.length - 1;
    const next = { ArrowDown: at === last ? 0 : at + 1, ArrowUp: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (event.key === "Tab") this.element.hidePopover();
    if (next === undefined) return;
    event.preventDefault();
    items[next].focus();
  }
}

// How the nodes fared: a bar of shares, and the numbers.
function nodesOf(counts) {
  if (!counts) return [];
  const total = counts.at(-1), parts = NODES.map((style, place) => [counts[place], ...style]).filter(([count]) => count);
  const bar = element("div", { className: "shares", ariaHidden: "true" }, ...parts.map(([count, , , colour]) => {
    const share = element("span", { className: colour });
    share.style.width = `${(100 * count) / total}%`;
    return share;
  }));
  const said = parts.map(([count, word, glyph, colour]) =>
    element("span", { className: colour, title: `${count.toLocaleString("en")} ${word}` }, mark(glyph), ` ${count.toLocaleString("en")}`, element("span", { className: "hidden" }, ` ${word}, `)));
  return [bar, element("div", { className: "counts" }, ...said, element("small", {}, `of ${total.toLocaleString("en")}`))];
}

function against({ times, slow }) {
  const title = "Against the median of successful runs with the same project and command";
  return times === null ? "" : element("small", { className: slow ? "orange" : "", title }, ...(slow ? [mark("▲"), " "] : []), `${times.toFixed(1)} × usual`);
}

const tables = new WeakMap(); // one a section

function runTable(section, data, tell) {
  const table = tables.get(section) ?? new RunTable(section);
  tables.set(section, table);
  table.update(data, tell);
  return () => { table.stop(); tables.delete(section); };
}

// The whole history in one component: each element of Streamlit's costs the browser several milliseconds before it is seen.
class RunHistory {
  constructor(section) {
    this.filters = new RunFilters();
    this.figures = element("div", { className: "run_figures" });
    this.strips = element("div", { className: "run_strips" });
    this.tabs = element("nav", { className: "tabs", ariaLabel: "Views of the runs" });
    this.said = element("span", { className: "said" });
    this.pages = element("nav", { className: "pages", ariaLabel: "Pages" });
    this.table = element("div", { className: "run_table" });
    this.list = element("div", {}, element("div", { className: "line" }, this.said, this.pages), this.table);
    this.found = [this.figures, this.strips, this.tabs];
    section.replaceChildren(this.filters.element, ...this.found, this.list);
    this.stop = onReturn(section, null, (told) => this.tell(told));
  }

  update({ filters, figures, strips, tabs, list }, tell) {
    this.tell = tell;
    this.filters.update(filters, tell);
    for (const part of this.found) part.hidden = !figures;
    this.list.hidden = !list;
    if (figures) {
      fill(this.figures, figures, runFigures);
      fill(this.strips, strips, (there, told) => runStrips(there, told, (click) => this.tell(click)));
      fill(this.tabs, [tabs, filters.chosen], () => this.tabs.replaceChildren(...tabs.names.map((name) => this.tab(name, tabs.open, filters.chosen))));
    }
    if (!list) return;
    write(this.said, list.said);
    fill(this.pages, [list.page, list.pages, filters.chosen], () => this.pages.replaceChildren(...this.pager(list, filters.chosen)));
    this.stopTable = runTable(this.table, list.table, tell);
  }

  tab(name, open, chosen) {
    const made = link(addressOf({ ...chosen, tab: name }), {}, () => this.tell({ what: "tab", which: name }), name);
    if (name === open) made.ariaCurrent = "page";
    return made;
  }

  pager({ page, pages }, chosen) {
    if (pages < 2) return [];
    const shown = [...new Set([1, page - 1, page, page + 1, pages])].filter((each) => each >= 1 && each <= pages);
    const gap = (each, place) => (place && each - shown[place - 1] > 1 ? [element("span", {}, "…")] : []);
    const to = (each, words, label) => {
      const made = link(addressOf({ ...chosen, page: `${each}` }), { ariaLabel: label }, () => this.tell({ what: "page", which: each }), words);
      if (each === page) made.ariaCurrent = "page";
      return made;
    };
    const numbers = shown.flatMap((each, place) => [...gap(each, place), to(each, each.toLocaleString("en"), `Page ${each}`)]);
    const before = page > 1 ? [to(page - 1, "‹", "Page before")] : [], after = page < pages ? [to(page + 1, "›", "Next page")] : [];
    return [...before, ...numbers, ...after];
  }
}

const histories = new WeakMap(); // one a section

function runHistory(section, data, tell) {
  const history = histories.get(section) ?? new RunHistory(section);
  histories.set(section, history);
  history.update(data, tell);
  return () => { history.stop(); history.stopTable?.(); histories.delete(section); };
}

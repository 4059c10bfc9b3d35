// What the history shows: ready-made views, states, a search, and the rarer filters that are set.
const SEARCH = "Search command, message, commit…";

class RunFilters {
  constructor() {
    this.states = element("div", { className: "states", role: "group", ariaLabel: "State" });
    this.search = element("input", { ariaLabel: "Search", placeholder: SEARCH, autocomplete: "off", spellcheck: false });
    this.search.onchange = () => this.show({ ...this.chosen, q: this.search.value.trim() });
    this.presets = element("div", { className: "presets" });
    this.clear = element("button", { type: "button", className: "plain" }, "Clear filters");
    this.clear.onclick = () => this.show({});
    this.chips = element("div", { className: "chips" });
    this.element = element("div", {}, element("div", { className: "line" }, this.states, this.search, this.clear, this.presets), this.chips);
  }

  update({ chosen, states, presets, chips }, tell) {
    this.tell = tell;
    fill(this.states, states, () => this.states.replaceChildren(...states.map((word) => this.state(word))));
    fill(this.presets, presets, () => this.presets.replaceChildren(...presets.map(([name, filters]) =>
      link(addressOf(filters), { className: "plain" }, () => this.show(filters), name))));
    fill(this.chips, chips, () => this.chips.replaceChildren(...chips.map(([words, left]) => this.chip(words, left))));
    if (!this.search.matches(":focus")) this.search.value = chosen.q ?? "";
    this.choose(chosen);
  }

  state(word) {
    const button = element("button", { type: "button" }, word);
    button.onclick = () => {
      const others = (this.chosen.state ?? []).filter((other) => other !== word);
      this.show({ ...this.chosen, state: button.ariaPressed === "true" ? others : [...others, word] });
    };
    return button;
  }

  chip(words, left) {
    const button = element("button", { type: "button", title: "Drops this filter" }, words, mark(" ✕"));
    button.onclick = () => this.show(left);
    return button;
  }

  show(filters) {
    this.choose(filters);
    this.tell({ what: "show", filters });
  }

  choose(filters) {
    this.chosen = Object.fromEntries(Object.entries(filters).filter(([, value]) => value.length));
    this.clear.hidden = !Object.keys(this.chosen).length;
    for (const button of this.states.children) button.ariaPressed = String((filters.state ?? []).includes(button.textContent));
  }
}

// The history with these filters, as a link within the console.
function addressOf(filters) {
  const parts = Object.entries(filters).flatMap(([name, value]) => [value].flat().map((each) => [name, each]));
  return `runs?${new URLSearchParams(parts)}`;
}

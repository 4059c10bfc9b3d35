// Draws one line a project with a bar for each of its last runs.
const MOST_HEIGHT = 24;

function runStrips(section, data, tell) {
  const clicked = (what, which) => () => tell({ what, which: String(which) });

  function bar(most, [id, state, seconds, age]) {
    const [word, glyph, colour] = data.states[state];
    const lasted = seconds === null ? "" : `${duration(seconds)}, `;
    const told = `Run ${id}: ${word.toLowerCase()}, ${lasted}${ago(age * 60)}`;
    const shape = element("span");
    shape.style.height = `${Math.max(2, Math.round((MOST_HEIGHT * seconds) / most))}px`;
    const properties = { className: colour, title: told, ariaLabel: told };
    return element("li", {}, link(`run?run_id=${id}`, properties, clicked("run", id), shape, glyph));
  }

  function row({ name, said, runs }) {
    const most = Math.max(1, ...runs.map((run) => run[2])), query = encodeURIComponent(name);
    const address = data.launch ? `project?name=${query}` : `runs?project=${query}`;
    const title = element("div", {},
      link(address, { className: "name", title: name }, clicked("project", name), name),
      element("small", { className: said.includes("failed") ? "bad" : "" }, said));
    const bars = element("ol", { ariaLabel: `Last runs of ${name}, the newest last` }, ...runs.map((run) => bar(most, run)));
    const line = element("li", {}, title, bars);
    if (data.launch) {
      const launch = element("button", { type: "button", ariaLabel: `Launch ${name}`, title: `Launch ${name}` }, "Launch");
      launch.addEventListener("click", clicked("launch", name));
      line.append(launch);
    }
    return line;
  }

  section.replaceChildren(element("ul", { ariaLabel: "Projects and their last runs" }, ...data.projects.map(row)));
}

// Draws one line a project with a bar for each of its last runs. A plain click is handed to Python, so that the page
// changes within the session; a click with a key held is the browser's own: the links are real.
const MOST_HEIGHT = 24;

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul");

  function link(what, which, href, properties, ...children) {
    const made = element("a", { ...properties, href }, ...children);
    made.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      setTriggerValue("clicked", { what, which: String(which) });
    });
    return made;
  }

  function bar(most, [id, state, seconds, age]) {
    const [word, glyph, colour] = data.states[state];
    const told = `Run ${id}: ${word.toLowerCase()}, ${seconds === null ? "" : `${duration(seconds)}, `}${duration(age * 60)} ago`;
    const height = Math.max(2, Math.round((MOST_HEIGHT * seconds) / most));
    const shape = element("i");
    shape.style.height = `${height}px`;
    const address = `run?run_id=${id}`;
    return element("li", {}, link("run", id, address, { className: colour, title: told, ariaLabel: told }, shape, glyph));
  }

  function row({ name, said, runs }) {
    const most = Math.max(1, ...runs.map((run) => run[2]));
    const query = encodeURIComponent(name);
    const title = element("div", {},
      link("project", name, data.launch ? `project?name=${query}` : `runs?project=${query}`, { className: "name", title: name }, name),
      element("small", { className: said.includes("failed") ? "bad" : "" }, said));
    const line = element("li", {}, title, element("ol", { ariaLabel: `Last runs of ${name}, the newest last` }, ...runs.map((run) => bar(most, run))));
    if (data.launch) {
      const launch = element("button", { type: "button", ariaLabel: `Launch ${name}`, title: `Launch ${name}` }, "Launch");
      launch.addEventListener("click", () => setTriggerValue("clicked", { what: "launch", which: name }));
      line.append(launch);
    }
    return line;
  }

  list.ariaLabel = "Projects and their last runs";
  list.replaceChildren(...data.projects.map(row));
}

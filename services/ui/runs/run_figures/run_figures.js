// A row of figures: value, change against the period before, and the course over the period as a line or as bars.
const WIDTH = 100, HEIGHT = 30;

function svg(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function course({ kind, values }) {
  const known = values.filter((value) => value !== null), least = kind === "bar" ? 0 : Math.min(...known);
  const scale = HEIGHT / (Math.max(...known) - least || 1), step = WIDTH / values.length;
  const places = values.flatMap((value, place) => (value === null ? [] : [[place * step, (value - least) * scale]]));
  const drawn = kind === "bar"
    ? svg("path", { d: places.map(([x, height]) => `M${x + step * 0.2} ${HEIGHT}v${-height}h${step * 0.6}v${height}z`).join("") })
    : svg("polyline", { points: places.map(([x, height]) => `${x + step / 2},${HEIGHT - height}`).join(" ") });
  const drawing = svg("svg", { viewBox: `0 -1 ${WIDTH} ${HEIGHT + 2}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  drawing.append(drawn);
  return drawing;
}

function figure({ label, value, change, tone, before, told, values, kind }) {
  const drawn = values.filter((one) => one !== null).length > 1 ? [course({ kind, values })] : [];
  const more = change ? [element("div", { className: "change" }, element("b", { className: tone }, change), ` ${before}`)] : [];
  const hidden = told ? [element("span", { className: "hidden" }, told)] : [];
  return element("div", { title: told }, element("dt", {}, label), element("dd", {}, element("strong", {}, value), ...more, ...drawn, ...hidden));
}

function runFigures(section, { figures, said }) {
  section.replaceChildren(element("dl", {}, ...figures.map(figure)), element("p", {}, said));
}

// Draws lines as `[line, level, time, origin, node, text, more]`. Text becomes text nodes only: nothing in a log is
// ever read as HTML.
const ORIGINS = { dbt: "dbt", output: "pod", init: "init", airflow: "Airflow", copy: "Airflow" };

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== "") element.textContent = text;
  return element;
}

function drawLine(row, position, { total, href, time, chosen, current, withOrigin, whole }) {
  const [line, level, moment, origin, node, text, more] = row;
  const element = make("div", `row ${level}${chosen ? " chosen" : ""}${current ? " current" : ""}`);
  element.setAttribute("role", "listitem");
  element.setAttribute("aria-posinset", position + 1);
  element.setAttribute("aria-setsize", total);
  element.dataset.line = line;
  const link = make("a", "number", line.replace("a", ""));
  link.href = href(line);
  link.title = [moment === null ? "" : new Date(moment).toISOString(), node ?? "", "Link to this line; with Shift to a range"].filter(Boolean).join("\n");
  link.setAttribute("aria-label", `Line ${line.replace("a", "")}, ${level}`);
  element.append(link, make("span", "time", time(moment)));
  if (withOrigin) element.append(make("span", `origin ${origin}`, ORIGINS[origin] ?? origin));
  const said = make("span", "text");
  said.append(...pieces(text));
  if (more) {
    const button = make("button", "more", "… Show the whole line");
    button.type = "button";
    button.onclick = () => whole(line, said, button);
    said.append(" ", button);
  }
  element.append(said);
  return element;
}

function pieces(text) {
  if (typeof text === "string") return [document.createTextNode(text)];
  return text.map(([part, styles]) => {
    if (!styles) return document.createTextNode(part);
    const names = styles.split(" ");
    return make(names.includes("match") ? "mark" : "span", names.filter((name) => name !== "match").map((name) => `ansi-${name}`).join(" "), part);
  });
}

// A function that writes a moment as text. `style` is none, since, local or utc.
function clock(style, start) {
  const two = (number) => String(number).padStart(2, "0"), three = (number) => String(number).padStart(3, "0");
  return (moment) => {
    if (moment === null || style === "none") return "";
    if (style === "since") return `+${((moment - (start ?? moment)) / 1000).toFixed(3)} s`.padStart(12, " ");
    const at = new Date(moment);
    if (style === "utc") return `${at.toISOString().slice(11, 23)}Z`;
    return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${three(at.getMilliseconds())}`;
  };
}

// What our components share: elements, lengths of time, and links that stay within the session.
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A length of time in its two largest units, as services/ui/words.py has it.
function duration(seconds) {
  const whole = Math.round(Math.max(seconds, 0));
  if (seconds < 10) return `${Math.max(seconds, 0).toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

function ago(seconds) {
  if (seconds < 2) return "just now";
  return `${seconds < 60 ? `${Math.round(seconds)} s` : duration(seconds)} ago`;
}

// A plain click is handed to Python, so that the page changes within the session; a click with a key held, or with
// another button, is the browser's own: the links are real.
function link(href, properties, clicked, ...children) {
  const made = element("a", { ...properties, href }, ...children);
  made.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    clicked();
  });
  return made;
}

// Draws anew only when there is something else to draw, so that news takes no focus.
function fill(there, told, draw) {
  const key = JSON.stringify(told);
  if (there.told !== key) draw(there, told);
  there.told = key;
}

// A sign that the word beside it says too.
function mark(glyph) { return element("span", { ariaHidden: "true" }, glyph); }

function write(there, text) { if (there.textContent !== text) there.textContent = text; }

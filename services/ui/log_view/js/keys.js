// Keyboard shortcuts: what they do, and the sheet that tells of them.
const SHORTCUTS = [
  ["/", "Search", (view) => { view.search.focus(); view.search.select(); }],
  ["n", "Next match", (view) => view.step(1)],
  ["N", "Previous match", (view) => view.step(-1)],
  ["e", "Next error; first of all the first one", (view) => view.nextError(1)],
  ["E", "Previous error", (view) => view.nextError(-1)],
  ["j", "Choose the line below", (view) => view.chooseNext(1)],
  ["k", "Choose the line above", (view) => view.chooseNext(-1)],
  ["g", "First line", (view) => view.goToStart()],
  ["G", "Last line", (view) => view.goToEnd()],
  ["f", "Follow new lines, or stop", (view) => { if (!view.followLabel.hidden) view.follow.click(); }],
  ["w", "Wrap long lines, or not", (view) => view.wrap.click()],
  ["t", "Next way to show the time", (view) => view.nextTimes()],
  ["o", "Only matching lines, or all", (view) => view.only.click()],
  ["F", "Full screen, or back", (view) => view.fullScreen()],
  ["Escape", "Leave the search field", (view) => view.box.focus()],
  ["?", "This list", (view) => view.help.showModal()],
];

function listenToKeys(view) {
  const table = view.help.querySelector("dl");
  for (const [key, told] of SHORTCUTS) {
    const term = make("dt");
    term.append(make("kbd", "", key));
    table.append(term, make("dd", "", told));
  }
  view.help.querySelector(".close").onclick = () => view.help.close();
  view.viewer.onkeydown = (event) => pressed(event, view);
}

function pressed(event, view) {
  if (event.ctrlKey || event.metaKey || event.altKey || view.help.open) return;
  const isTyping = event.target.matches("input[type=search], select");
  if (isTyping && event.key !== "Escape") return;
  const shortcut = SHORTCUTS.find(([key]) => key === event.key);
  if (!shortcut || (event.key === "Escape" && !isTyping)) return;
  event.preventDefault();
  event.stopPropagation();
  shortcut[2](view);
}

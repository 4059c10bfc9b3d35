// Says when the reader comes back to the page, and no more often than every five seconds.
const watched = new WeakMap(); // one a section

function onReturn(section, _, tell) {
  watched.get(section)?.();
  let last = Date.now();
  const returned = () => {
    if (document.hidden || Date.now() - last < 5000) return;
    last = Date.now();
    tell({ what: "returned" });
  };
  const stop = () => {
    document.removeEventListener("visibilitychange", returned);
    window.removeEventListener("focus", returned);
  };
  document.addEventListener("visibilitychange", returned);
  window.addEventListener("focus", returned);
  watched.set(section, stop);
  return stop;
}

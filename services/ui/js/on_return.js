// Says when the reader comes back to the page, and no more often than every five seconds.
const listening = new WeakMap(); // one a mount

export default function ({ parentElement, setTriggerValue }) {
  listening.get(parentElement)?.();
  let last = Date.now();
  const returned = () => {
    if (document.hidden || Date.now() - last < 5000) return;
    last = Date.now();
    setTriggerValue("returned", last);
  };
  const stop = () => {
    document.removeEventListener("visibilitychange", returned);
    window.removeEventListener("focus", returned);
  };
  document.addEventListener("visibilitychange", returned);
  window.addEventListener("focus", returned);
  listening.set(parentElement, stop);
  return stop;
}

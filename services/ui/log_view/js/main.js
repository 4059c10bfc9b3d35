const viewers = new WeakMap(); // one a mount

export default function (component) {
  const { parentElement } = component;
  let viewer = viewers.get(parentElement);
  if (!viewer) viewers.set(parentElement, (viewer = new Viewer(parentElement)));
  viewer.update(component);
  return () => {
    viewer.stop();
    document.removeEventListener("visibilitychange", viewer.seeAgain);
    viewers.delete(parentElement);
  };
}

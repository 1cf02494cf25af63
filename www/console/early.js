// This classic script runs before the first paint. It prepares what the modules show later, so that nothing shifts: the view
// of the URL, the height of the list of subscriptions, and whether the guided tour is offered.
(() => {
  const root = document.documentElement;
  root.dataset.view = /^#\/(\w+)/.exec(location.hash)?.[1] ?? "messages";
  const stored = (key) => {
    try {
      return JSON.parse(localStorage.getItem(`iot.console.${key}`));
    } catch {
      return null;
    }
  };
  const tour = stored("tour");
  if (tour?.hidden || tour?.done?.length === 6) root.dataset.tour = "off";
  root.style.setProperty("--subscriptions", String(Math.min(8, stored("subscriptions")?.length || 1)));
})();

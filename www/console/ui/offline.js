// The first load of the page must not compete with the service worker, which loads all files.
const DELAY_MS = 5000;

/** Installs the service worker, with which the page opens without its server. sw.js describes it. */
export function mountOffline() {
  if (!("serviceWorker" in navigator)) return; // the page is neither on https nor on localhost
  setTimeout(async () => {
    try {
      const { active } = await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
      active?.postMessage("refresh");
    } catch {
      // The browser forbids service workers, for example in a private window. The page works without one.
    }
  }, DELAY_MS);
}

import { equal, ok } from "../expect.js";
import { test, violations } from "../suite.js";

test("the default client is on the page, and nothing else", (place) => {
  const { iot, default: same, IotClient } = place.api;
  ok(iot instanceof IotClient && iot instanceof EventTarget && iot === same && iot === globalThis.iot, "iot is the default client");
  const before = new Set(place.before);
  equal(Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name)), ["iot"]);
  for (const name of ["IotClient", "IotError", "load", "matches", "presign", "version"]) ok(iot[name] === place.api[name], `iot.${name} is there`);
});

test("no policy is in the way of anything but what a test has meant", (place) => {
  const meant = [place.nobody, place.options.endpoint].map((url) => new URL(url).host);
  equal(violations.filter(([directive, uri]) => directive !== "connect-src" || !meant.some((host) => uri.includes(host))), []);
  equal(violations.length > 0, place.place === "csp");
});

test("the place is what it is called", (place) => {
  const facts = {
    window: () => self === parent && typeof document === "object",
    classic: () => self === parent && document.querySelector("script[src='/iot.global.js']") !== null,
    worker: () => self instanceof DedicatedWorkerGlobalScope,
    sharedworker: () => self instanceof SharedWorkerGlobalScope,
    csp: () => self !== parent && forbids(() => new Function("")) && typeof trustedTypes === "object" && forbids(() => (document.body.innerHTML = "<p>")),
    sandbox: () => self !== parent && origin === "null" && forbids(() => localStorage),
    "node-22": () => process.versions.node.startsWith("22."),
    "node-20": () => process.versions.node.startsWith("20."),
  };
  ok(facts[place.place](), `this is ${place.place}`);
});

function forbids(deed) {
  try {
    deed();
  } catch {
    return true;
  }
  return false;
}

import { equal, ok } from "../expect.js";
import { test, violations } from "../suite.js";

test("the only new global is the default client", (place) => {
  const { iot, default: same, IotClient } = place.api;
  ok(iot instanceof IotClient && iot instanceof EventTarget && iot === same && iot === globalThis.iot, "iot is the default client");
  const before = new Set(place.before);
  equal(Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name)), ["iot"]);
  for (const name of ["IotClient", "IotError", "load", "matches", "presign", "version"]) ok(iot[name] === place.api[name], `iot.${name} is the export`);
});

test("the policy forbids only the connections that the tests have tried", (place) => {
  const tried = [place.unreachable, place.options.endpoint].map((url) => new URL(url).host);
  equal(violations.filter(([directive, uri]) => directive !== "connect-src" || !tried.some((host) => uri.includes(host))), []);
  equal(violations.length > 0, place.place === "csp");
});

test("the place has the right name", (place) => {
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
  ok(facts[place.place](), `the place is ${place.place}`);
});

function forbids(action) {
  try {
    action();
  } catch {
    return true;
  }
  return false;
}

import iot from "iot.wasm";

/** Adds a problem to the global variable problems. */
export const report = (...values) => void globalThis.problems.push(values.map(String).join(" "));

/**
 * Records the problems of the page, and the filters of all subscriptions in the global variable filters. Returns the options
 * to connect to the stand-in.
 */
export async function prepare() {
  Object.assign(globalThis, { problems: [], filters: [] });
  console.error = console.warn = report;
  addEventListener("error", ({ message }) => report(message));
  addEventListener("unhandledrejection", ({ reason }) => report(reason));
  const { subscribe } = iot;
  iot.subscribe = (filter, ...rest) => {
    globalThis.filters.push(filter);
    return subscribe.call(iot, filter, ...rest);
  };
  const server = new URLSearchParams(location.search).get("server");
  const { endpoint, region, credentials } = await (await fetch(`${server}local.json`)).json();
  return { endpoint, region, credentials };
}

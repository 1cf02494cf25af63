/** Connects the page's client to the stand-in, with the settings that the stand-in had when the test began. */
import iot from "/iot.js";

const { endpoint, region, credentials } = await (await fetch("/settings.json")).json();
globalThis.iot = iot;

/** @param {object} [options] further options of connect() */
export function connect(options) {
  return iot.connect({ endpoint, region, credentials, reconnect: { minDelayMs: 10, maxDelayMs: 100 }, ...options });
}

/** Sets the text of the page. */
export function show(text) {
  document.querySelector("output").textContent = text;
}

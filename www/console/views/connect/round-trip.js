import { h } from "../../ui/dom.js";

const MOST_SECONDS = 300, LEAST_SECONDS = 60, WIDTH = 300, HEIGHT = 60;

/** Returns a new SVG element. @param {string} name @param {Record<string, string>} attributes */
function svg(name, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Returns a duration as text. @param {number} ms */
const msOf = (ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** A chart of the round trip in the last minutes. A gap in the line is a time without a connection. */
export class RoundTripChart {
  #line = svg("path", { class: "line", "vector-effect": "non-scaling-stroke" });
  #area = svg("path", { class: "area" });
  #image = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  #now = h("strong", {});
  #range = h("span", { class: "dim" });
  #start = h("span", {});
  element = h("figure", { class: "round-trip", id: "round-trip" },
    h("figcaption", {}, "Round trip ", this.#now, " ", this.#range), this.#image,
    h("p", { class: "small axis", "aria-hidden": "true" }, this.#start, h("span", {}, "now")));

  constructor() {
    this.#image.append(this.#area, this.#line);
  }

  /** @param {import("../../core/samples.js").Sample[]} samples */
  draw(samples) {
    const end = samples.at(-1)?.time ?? 0;
    const seconds = Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Math.ceil((end - (samples[0]?.time ?? end)) / 60_000) * 60));
    const shown = samples.filter(({ time }) => end - time <= seconds * 1000), minutes = `${seconds / 60} ${seconds === 60 ? "minute" : "minutes"}`;
    this.#start.textContent = `${minutes} ago`;
    const values = shown.map(({ roundTripMs }) => roundTripMs).filter((value) => value !== undefined);
    const now = shown.at(-1)?.roundTripMs;
    this.#now.textContent = now === undefined ? "unknown" : msOf(now);
    const least = values.reduce((a, b) => Math.min(a, b), Infinity), most = values.reduce((a, b) => Math.max(a, b), 0);
    this.#range.textContent = values.length ? `from ${msOf(least)} to ${msOf(most)}` : "The broker has not answered yet.";
    this.#image.setAttribute("aria-label", `Round trip in the last ${minutes}. ${this.#now.textContent} ${this.#range.textContent}`);
    const top = Math.max(most * 1.15, 1);
    const x = (time) => (WIDTH * (1 - (end - time) / (seconds * 1000))).toFixed(1), y = (ms) => (HEIGHT * (1 - ms / top)).toFixed(1);
    let line = "", area = "", open = false;
    shown.forEach(({ time, roundTripMs }, i) => {
      if (roundTripMs === undefined) {
        if (open) area += `V${HEIGHT}Z`;
        open = false;
        return;
      }
      const at = x(time);
      line += open ? `H${at}V${y(roundTripMs)}` : `M${at} ${y(roundTripMs)}h0.1`;
      area += open ? `H${at}V${y(roundTripMs)}` : `M${at} ${HEIGHT}V${y(roundTripMs)}`;
      open = true;
      if (i === shown.length - 1) area += `V${HEIGHT}Z`;
    });
    this.#line.setAttribute("d", line);
    this.#area.setAttribute("d", area);
  }
}

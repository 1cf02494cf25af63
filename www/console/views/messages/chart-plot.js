import { h } from "../../ui/dom.js";

const DAY = 86_400_000;
// A series with more points in view has no mark at each point.
const MAX_MARKS = 60;

/** Loads the library of the chart and its stylesheet. */
async function load() {
  const style = new Promise((resolve) => document.head.append(h("link", { rel: "stylesheet", href: "console/vendor/uplot.css", onload: resolve, onerror: resolve })));
  const [{ default: uPlot }] = await Promise.all([import("../../vendor/uplot.js"), style]);
  return uPlot;
}

/** Returns the labels of the axis of time: as many details as the distance of the marks needs. */
function timeLabels(_, marks) {
  const step = marks.length > 1 ? marks[1] - marks[0] : 1000;
  return marks.map((time) => {
    const date = new Date(time), clock = date.toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit", second: step < 60_000 ? "2-digit" : undefined });
    if (step >= DAY) return date.toLocaleDateString();
    return step < 1000 ? `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}` : clock;
  });
}

/**
 * The drawing of the chart, by uPlot.
 */
export class Plot {
  #root;
  #options;
  #uPlot;
  #loading;
  /** @type {any} */
  #chart;
  #range = [0, 1]; // of the axis of time
  #values = [0, 1]; // of the axis of values
  #colours = { ink: "", line: "" };
  #data;
  /** @type {import("../../core/messages/sampling.js").Sample["figures"]} */
  #figures = [];

  /**
   * @param {HTMLElement} root the place of the drawing; its colour is that of the labels, and the colour of its border that of the grid
   * @param {{ onzoom(from: number, to: number): void, onreset(): void, oncursor(index: number | undefined): void, onresize(): void }} options
   */
  constructor(root, options) {
    this.#root = root;
    this.#options = options;
    new ResizeObserver(() => {
      if (!this.#chart || !root.clientWidth) return;
      this.#chart.setSize(this.#size());
      options.onresize();
    }).observe(root);
  }

  /** Loads the library. It can be called again. */
  async load() {
    this.#uPlot ??= await (this.#loading ??= load());
  }

  get width() {
    return this.#root.clientWidth;
  }

  /** The canvas, or undefined before the first call of show(). */
  get canvas() {
    return this.#chart?.ctx.canvas;
  }

  /** The times and values that are drawn. */
  get data() {
    return this.#data;
  }

  #size() {
    return { width: Math.max(50, this.#root.clientWidth), height: Math.max(80, this.#root.clientHeight) };
  }

  /** Makes the chart again for a list of series. @param {import("../../core/messages/series.js").Series[]} list */
  make(list) {
    this.#chart?.destroy();
    const axis = { stroke: () => this.#colours.ink, font: "12px system-ui", grid: { stroke: () => this.#colours.line, width: 1 }, ticks: { stroke: () => this.#colours.line, width: 1 } };
    const { onzoom, onreset, oncursor } = this.#options;
    this.#chart = new this.#uPlot({
      ...this.#size(), ms: 1, legend: { show: false }, pxAlign: 0, padding: [10, 12, 0, 0],
      cursor: { drag: { x: true, y: false, setScale: false }, y: false, bind: { dblclick: () => () => onreset() } },
      scales: { x: { time: true, range: () => this.#range }, y: { range: () => this.#values } },
      axes: [
        { ...axis, values: timeLabels, space: 90 },
        { ...axis, size: (_, labels) => 22 + 7 * Math.max(3, ...(labels ?? []).map((label) => String(label ?? "").length)) },
      ],
      series: [{}, ...list.map(({ colour, hidden }) => ({ stroke: colour, width: 1.6, spanGaps: true, show: !hidden, points: { fill: colour, size: 5, show: (_, i) => (this.#figures[i - 1]?.count ?? 0) <= MAX_MARKS } }))],
      hooks: {
        setSelect: [(chart) => {
          const { left, width } = chart.select;
          if (width < 4) return;
          chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          onzoom(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
        }],
        setCursor: [(chart) => oncursor(chart.cursor.left >= 0 ? chart.cursor.idx : undefined)],
      },
    }, [[], ...list.map(() => [])], this.#root);
  }

  /**
   * Draws.
   * @param {import("../../core/messages/sampling.js").Sample} sample
   * @param {number} from
   * @param {number} to
   * @param {import("../../core/messages/series.js").Series[]} list
   */
  show({ data, figures }, from, to, list) {
    if (!this.#chart) return;
    const { color, borderTopColor } = getComputedStyle(this.#root);
    this.#colours = { ink: color, line: borderTopColor };
    this.#range = [from, to];
    this.#data = data;
    this.#figures = figures;
    // uPlot would omit the second of two points with equal times at the end of the range.
    const seen = figures.filter((all, i) => all && !list[i].hidden);
    if (seen.length) this.#values = this.#uPlot.rangeNum(Math.min(...seen.map(({ min }) => min)), Math.max(...seen.map(({ max }) => max)), 0.1, true);
    this.#chart.setData(data);
  }
}

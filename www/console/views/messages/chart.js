import { oncePerFrame } from "../../core/emitter.js";
import { sizeOf } from "../../core/payload.js";
import { sampleOf } from "../../core/messages/sampling.js";
import { MAX_POINTS, MAX_SERIES, POINT_BYTES, SeriesSet } from "../../core/messages/series.js";
import { parsePath } from "../../core/messages/search-path.js";
import { kept } from "../../core/storage.js";
import { button, clock, h } from "../../ui/dom.js";
import { mountAdd } from "./chart-add.js";
import { csvOf, download, pictureOf } from "./chart-files.js";
import { mountLegend, numberText } from "./chart-legend.js";
import { Plot } from "./chart-plot.js";

const MINUTE = 60_000;
const RANGES = [[MINUTE / 6, "Last 10 seconds"], [MINUTE, "Last minute"], [5 * MINUTE, "Last 5 minutes"], [15 * MINUTE, "Last 15 minutes"], [60 * MINUTE, "Last hour"], [0, "All"]];
// The shortest time between two drawings, and the interval of drawings without messages.
const DRAW_MS = 50;
const MOVE_MS = 250;
// The time in a frame for reading the history.
const READ_MS = 6;
// The shortest time that the user can zoom to.
const MIN_ZOOM = 10;

/**
 * The reader that shows numbers in messages as a chart.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App & Record<string, any>} app
 */
export function mountChart(root, app) {
  const { messages, commands, run } = app;
  const set = new SeriesSet(messages);
  /** @type {[number, number] | undefined} */
  let zoom;
  let shown = false, pausedAt, drawn = 0, timer, at;
  /** @type {import("../../core/messages/sampling.js").Sample} */
  let sample = { data: [[]], figures: [] };

  const range = h("select", { id: "chart-range" }, RANGES.map(([value, text]) => h("option", { value, selected: value === kept.get("chart-range", MINUTE) }, text)));
  const step = (name, text) => button(text, () => move(name), { class: "icon", "aria-label": name, title: name });
  const reset = button("Reset zoom", () => setZoom(undefined), { id: "chart-reset", disabled: true });
  const zoomed = h("output", { id: "chart-zoomed", class: "small" });
  const place = h("div", { id: "plot", tabIndex: 0, role: "group", "aria-label": "Chart", "aria-describedby": "chart-keys" });
  const legendPlace = h("div", { class: "legend" });
  const bound = h("p", { id: "chart-bound", class: "small" });
  const adding = h("div", { class: "adding" });
  const content = h("div", { id: "chart", hidden: true },
    h("div", { class: "row chart-tools" },
      h("label", { class: "inline" }, "Show", range), step("Zoom in", "+"), step("Zoom out", "−"), step("Earlier", "‹"), step("Later", "›"), reset, zoomed, h("span", { class: "grow" }),
      button("PNG", ({ currentTarget }) => run(savePicture, currentTarget), { id: "chart-png", title: "Save a picture of the chart" }),
      button("CSV", ({ currentTarget }) => run(() => download(csvOf(visible(), ...timesNow()), "csv"), currentTarget), { id: "chart-csv", title: "Save the points of the shown time for a spreadsheet" })),
    place, h("p", { id: "chart-keys", class: "hidden" }, "Plus and minus zoom, the arrow keys move, and 0 resets the zoom. With the mouse, drag to zoom and double-click to reset."),
    legendPlace, bound);
  root.append(adding, content);
  const add = mountAdd(adding, app, set);
  const legend = mountLegend(legendPlace, { onchange: () => set.changed.emit(), onremove });
  const plot = new Plot(place, { onzoom: (from, to) => setZoom([from, to]), onreset: () => setZoom(undefined), oncursor, onresize: () => draw() });

  const visible = () => set.list.filter((series) => !series.hidden);

  /** Returns the range of time to show: from, to. @returns {[number, number]} */
  function timesNow() {
    if (zoom) return zoom;
    const span = Number(range.value), now = pausedAt ?? Date.now();
    if (span) return [now - span, now];
    const [from, last] = set.extent ?? [now - MINUTE, now], to = Math.min(last, pausedAt ?? last);
    return from < to ? [from, to] : [from - 1000, from + 1000];
  }

  function draw() {
    clearTimeout(timer);
    timer = undefined;
    if (!shown || !set.list.length || !plot.canvas) return;
    drawn = performance.now();
    const [from, to] = timesNow();
    sample = sampleOf(set.list, from, to, plot.width);
    plot.show(sample, from, to, set.list);
    legend.show(sample.figures);
    oncursor(at);
    const removed = set.list.reduce((sum, series) => sum + series.removed, 0);
    bound.textContent = `The chart has ${set.list.length} of at most ${MAX_SERIES} series, and ${set.points.toLocaleString()} points (${sizeOf(set.points * POINT_BYTES)}) of at most ${MAX_POINTS.toLocaleString()} for each.${removed ? ` ${removed.toLocaleString()} older points were removed.` : ""}`;
    const none = set.points > 0 && sample.figures.every((figures) => !figures);
    zoomed.textContent = [zoom && `${clock(zoom[0])} to ${clock(zoom[1])}`, none && "No points in this time."].filter(Boolean).join(". ");
    place.setAttribute("aria-label", `Chart of ${visible().map((series) => series.name).join(", ")}`);
  }
  const later = () => {
    if (shown && timer === undefined) timer = setTimeout(() => requestAnimationFrame(draw), Math.max(0, drawn + DRAW_MS - performance.now()));
  };

  /** Reads new records, in slices of a frame. */
  const read = oncePerFrame(() => {
    if (!set.list.length) return;
    if (set.advance(READ_MS)) read();
    if (pausedAt === undefined || zoom) later();
  });
  messages.changed.on(read);
  messages.cleared.on(() => setZoom(undefined));

  function oncursor(index) {
    at = index;
    const { data } = plot;
    if (data?.length === set.list.length + 1) legend.showCursor(set.list.map((_, i) => (index === undefined ? undefined : valueAt(data[i + 1], index))));
  }

  function setZoom(times) {
    if (times && times[1] - times[0] < MIN_ZOOM) times = [(times[0] + times[1] - MIN_ZOOM) / 2, (times[0] + times[1] + MIN_ZOOM) / 2];
    zoom = times;
    reset.disabled = !zoom;
    draw();
  }
  /** Zooms or moves by the name of a step. */
  function move(name) {
    const [from, to] = timesNow(), span = to - from;
    setZoom({ "Zoom in": [from + span / 4, to - span / 4], "Zoom out": [from - span / 2, to + span / 2], Earlier: [from - span / 5, to - span / 5], Later: [from + span / 5, to + span / 5] }[name]);
  }
  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const name = { "+": "Zoom in", "=": "Zoom in", "-": "Zoom out", ArrowLeft: "Earlier", ArrowRight: "Later", 0: "Reset", Escape: "Reset" }[event.key];
    if (!name) return;
    event.preventDefault();
    event.stopPropagation();
    move(name);
  });
  range.addEventListener("change", () => {
    kept.set("chart-range", Number(range.value));
    setZoom(undefined);
  });

  async function savePicture() {
    const texts = set.list.map((series, i) => ({ series, figures: sample.figures[i] })).filter(({ series, figures }) => !series.hidden && figures);
    const blob = await pictureOf(plot.canvas, texts.map(({ series: { colour, name }, figures: { last, min, max, mean } }) => ({
      colour, text: `${name}: last ${numberText(last)}, min ${numberText(min)}, max ${numberText(max)}, mean ${numberText(mean)}`,
    })), place);
    download(blob, "png");
  }

  function onremove(series) {
    set.remove(series);
    (/** @type {HTMLElement | null} */ (legendPlace.querySelector("tbody button")) ?? /** @type {HTMLElement} */ (adding.querySelector("input"))).focus();
  }

  /** Makes the chart and the legend for the current series. */
  async function make() {
    const some = set.list.length > 0;
    content.hidden = !some;
    add.refresh();
    legend.make(set.list);
    read();
    if (!some || !shown) return;
    await plot.load();
    if (!set.list.length || !shown) return;
    plot.make(set.list);
    draw();
  }
  set.changed.on(() => {
    kept.set("chart", set.list.map(({ topic, path, colour }) => ({ topic, path, colour })));
    make().catch(app.showError);
  });
  for (const { topic, path, colour } of kept.get("chart", [])) set.add(topic, /** @type {(string | number)[]} */ (parsePath(path) ?? []), colour);

  app.pauseChanged.on(() => {
    pausedAt = app.paused ? Date.now() : undefined;
    draw();
  });
  /** Shows the chart with a number of a topic, or lets the user choose the number if there are several and no keys. */
  app.chartTopic = (topic, keys) => {
    commands.run("chart");
    add.addTopic(topic, keys);
  };
  setInterval(() => {
    if (!shown || document.hidden) return;
    add.refresh();
    if (set.list.length && !zoom && pausedAt === undefined) later();
  }, MOVE_MS);
  // The labels and the grid have the colours of the theme.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  new MutationObserver(() => draw()).observe(document.documentElement, { attributes: true });

  return {
    show(on) {
      shown = on;
      if (on) make().catch(app.showError);
    },
  };
}

/** Returns the value at an index of a column, or the last one before it. */
function valueAt(column, index) {
  for (let i = index; i >= 0 && i > index - 200; i--) if (column[i] != null) return column[i];
  return undefined;
}

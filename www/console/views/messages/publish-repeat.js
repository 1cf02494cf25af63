import { oncePerFrame } from "../../core/emitter.js";
import { errorText } from "../../core/publish/publish.js";
import { $, button, h } from "../../ui/dom.js";

const UPDATE_MS = 250;

/**
 * The part of the form that publishes its message repeatedly.
 * @param {import("../../core/publish/publish.js").Publisher} publisher
 * @param {(work: (draft: import("../../core/publish/draft.js").Draft) => unknown) => unknown} use calls work with the message of the form
 */
export function mountRepeat({ repetitions, history }, use) {
  const root = $("publish-repeat"), badge = root.querySelector(".tally");
  const every = h("input", { name: "every", type: "number", min: "1", max: "86400000", value: "1000", required: true });
  const times = h("input", { name: "times", type: "number", min: "1", step: "1", placeholder: "no end" });
  const list = h("ul", { class: "runs", id: "repetitions", "aria-label": "Repeated messages" });
  const start = button("Start", () => use((draft) => {
    if (!every.validity.valid) throw new RangeError("the interval must be an integer from 1 ms to 86,400,000 ms, which is a day");
    if (!times.validity.valid) throw new RangeError("the number of messages must be an integer above 0");
    repetitions.start(draft, Number(every.value), times.value === "" ? Infinity : Number(times.value));
    history.add(draft)(`Repeated every ${every.valueAsNumber.toLocaleString()} ms.`);
  }), { id: "repeat-start" });
  root.append(h("div", { class: "part" },
    h("div", { class: "pair", dataset: { enter: "repeat-start" } }, h("label", {}, "Every … ms", every), h("label", {}, "Times", times), start),
    h("p", { class: "small" }, "Starts with the message as it is now. Continues after a reconnect. An error stops it. In a background tab, browsers allow about 100 messages a second."), list));

  // The elements of an entry are kept, so that the focus stays where it is.
  const items = new Map();
  const create = (entry) => {
    const name = h("span", { class: "topic" }, entry.draft.topic);
    const stop = button("Stop", () => (entry.state === "running" || entry.state === "waiting" ? repetitions.stop(entry.id) : remove(entry)));
    const bar = Number.isFinite(entry.times) ? h("progress", { max: entry.times, "aria-label": `Progress of ${entry.draft.topic}` }) : undefined;
    const text = h("span", {});
    return { item: h("li", {}, h("div", { class: "pair" }, name, stop), bar, text), stop, bar, text };
  };
  const remove = (entry) => {
    repetitions.remove(entry.id);
    start.focus();
  };
  const stateOf = (entry) => {
    const { sent, times: all, acknowledged, lost, state, error, draft, everyMs } = entry;
    return [
      Number.isFinite(all) ? `${sent.toLocaleString()} of ${all.toLocaleString()}` : `${sent.toLocaleString()} sent`,
      draft.qos > 0 && `${acknowledged.toLocaleString()} acknowledged`,
      lost > 0 && `${lost.toLocaleString()} lost`,
      state === "running" ? `${entry.rate().toFixed(1)}/s` : undefined,
      { running: `every ${everyMs.toLocaleString()} ms`, waiting: "waits for the connection", finished: "finished", stopped: "stopped", failed: `stopped by ${errorText(error)}` }[state],
    ].filter(Boolean).join(" · ");
  };
  const show = () => {
    const running = repetitions.list.filter(({ state }) => state === "running" || state === "waiting").length;
    badge.textContent = running ? `${running} running` : "";
    for (const id of items.keys()) if (!repetitions.list.some((entry) => entry.id === id)) items.delete(id);
    repetitions.list.forEach((entry, i) => {
      if (!items.has(entry.id)) items.set(entry.id, create(entry));
      const { item, stop, bar, text } = items.get(entry.id);
      if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
      const active = entry.state === "running" || entry.state === "waiting";
      item.dataset.state = entry.state;
      stop.textContent = active ? "Stop" : "Remove";
      stop.setAttribute("aria-label", `${active ? "Stop" : "Remove"} ${entry.draft.topic}`);
      if (bar) bar.value = entry.sent;
      text.textContent = stateOf(entry);
      text.className = entry.state === "failed" ? "bad" : "dim";
    });
    while (list.children.length > repetitions.list.length) list.lastElementChild.remove();
  };

  // While messages are sent fast, the list is drawn a few times a second. A change of a state is drawn at once.
  const draw = oncePerFrame(show);
  let states = "", drawn = 0, timer;
  repetitions.changed.on(() => {
    const now = repetitions.list.map(({ id, state }) => id + state).join();
    if (now !== states || performance.now() - drawn > UPDATE_MS) {
      states = now;
      drawn = performance.now();
      draw();
    } else timer ??= setTimeout(() => {
      timer = undefined;
      drawn = performance.now();
      draw();
    }, UPDATE_MS);
  });
}

import { STEPS, Tour } from "../core/tour.js";
import { $, button, h } from "./dom.js";

/**
 * The card of the guided first minute above the view. index.html contains the card as a first visitor sees it, and early.js
 * hides it before the first paint.
 * @param {import("../main.js").App} app
 */
export function mountTour(app) {
  const { commands, run } = app;
  const tour = (app.tour = new Tour(app));
  const card = $("tour"), text = $("tour-text"), actions = $("tour-actions");
  let closed = !tour.current; // in this visit

  const leave = () => {
    closed = true;
    tour.leave();
  };
  const start = () => {
    closed = false;
    tour.start();
    app.show("messages");
  };
  const show = () => {
    const { current, active, hidden, done } = tour;
    const focused = card.contains(document.activeElement);
    document.documentElement.dataset.tour = hidden || closed ? "off" : "on";
    if (!current) {
      text.replaceChildren(h("strong", {}, "That was the first minute. "), "The demos show how the parts work together.");
      actions.replaceChildren(h("a", { href: "demos/" }, "Demos"), button("Close", leave));
    } else if (!active) {
      text.replaceChildren(h("strong", {}, "New here? "), done.size ? `Continue the first minute with step ${STEPS.indexOf(current) + 1} of ${STEPS.length}: ${current.title.toLowerCase()}.` : `A first minute in ${STEPS.length} short steps, from a message to a shadow.`);
      actions.replaceChildren(button(done.size ? "Continue" : "Start", start, { class: "primary", id: "tour-start" }), button("Not now", leave), button("Hide for ever", () => tour.hide(), { id: "tour-hide" }));
    } else {
      text.replaceChildren(
        h("span", { class: "marks", "aria-label": `Step ${STEPS.indexOf(current) + 1} of ${STEPS.length}`, role: "img" }, STEPS.map(({ id }) => h("i", { class: tour.done.has(id) ? "done" : id === current.id ? "now" : "" }))),
        h("strong", {}, `${current.title}. `), current.text);
      actions.replaceChildren(...actionsOf(current), button("Leave", leave, { id: "tour-leave" }));
    }
    // A new button replaces the one that had the focus.
    if (focused && !card.contains(document.activeElement)) (card.getClientRects().length ? actions.querySelector("button, a") : $("main"))?.focus({ preventScroll: true });
  };

  /** The buttons of a step. */
  const actionsOf = ({ id, fill: values }) => {
    if (id === "will") {
      return [tour.second === "" ? button("Connect a second client", ({ currentTarget }) => run(() => tour.connectSecond(), currentTarget), { class: "primary" })
        : button("Cut its connection", () => tour.cutSecond(), { class: "primary", disabled: tour.second === "cut" })];
    }
    return [button(values.view ? "Open Shadow" : "Fill in", () => run(() => fill(values)), { class: "primary", id: "tour-fill" })];
  };

  /** Fills the forms as the step describes. The user submits them. */
  const fill = async ({ publish, filter, view = "messages" }) => {
    await app.ready;
    if (filter) $("subscribe").elements.filter.value = filter;
    if (publish) app.compose({ topic: publish.topic, payload: publish.payload, options: { qos: 1, retain: publish.retain ?? false } });
    const focus = () => view === "messages" && (publish ? $("publish").querySelector(".primary") : $("subscribe").elements.filter).focus();
    if (document.documentElement.dataset.view === view) return focus();
    addEventListener("hashchange", focus, { once: true }); // a change of the view moves the focus
    app.show(view);
  };

  tour.changed.on(show);
  show();
  commands.add({ id: "tour", title: "Start or continue the guided first minute", run: start });
}

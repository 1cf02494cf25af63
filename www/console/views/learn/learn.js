import { ACTIONS } from "../../core/code/snippets.js";
import { STEPS } from "../../core/tour.js";
import { button, h } from "../../ui/dom.js";
import { DEMOS, DOCUMENTS, PAGES } from "./links.js";

/**
 * The view "learn": the guided first minute, the code of each action, and links to the demos and to documents.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mount(root, app) {
  const { tour } = app;
  const steps = h("ol", { class: "steps" });
  const actions = h("p", { class: "row" });
  const show = () => {
    steps.replaceChildren(...STEPS.map((step) => h("li", { class: tour.done.has(step.id) ? "done" : "", dataset: { step: step.id }, "aria-current": tour.active && step === tour.current ? "step" : undefined },
      h("strong", {}, step.title), tour.done.has(step.id) && h("span", { class: "good small" }, " done"), h("p", { class: "small" }, step.text))));
    actions.replaceChildren(...[
      tour.current && !tour.active && button(tour.done.size ? "Continue" : "Start", () => app.commands.run("tour"), { class: "primary" }),
      tour.done.size > 0 && button("Start again", () => {
        tour.restart();
        app.commands.run("tour");
      }),
      tour.active && button("Leave", () => tour.leave()),
      !tour.hidden && tour.current && button("Hide for ever", () => tour.hide()),
      tour.hidden && h("span", { class: "small" }, "The card above the view is hidden."),
    ].filter(Boolean));
  };
  tour.changed.on(show);
  show();

  root.append(
    h("section", { class: "card", "aria-labelledby": "steps-title" }, h("h2", { id: "steps-title" }, "The first minute"), steps, actions),
    h("section", { class: "card", "aria-labelledby": "code-list-title" },
      h("h2", { id: "code-list-title" }, "Code"),
      h("p", { class: "small" }, "Each program connects with the current profile, without its secrets. The buttons “Code” beside the forms show the program for their values."),
      h("ul", { class: "choices" }, Object.entries(ACTIONS).map(([action, { title }]) => h("li", {}, button(title, () => app.showCode(action)))))),
    h("section", { class: "card wide", "aria-labelledby": "demos-title" },
      h("h2", { id: "demos-title" }, "Demos"),
      h("ul", { class: "demos" }, DEMOS.map(({ page, title, text, picture }) => h("li", {},
        h("picture", {},
          h("source", { srcset: `demos/pictures/${picture}-dark.png`, media: "(prefers-color-scheme: dark)" }),
          h("img", { src: `demos/pictures/${picture}.png`, width: 640, height: 400, loading: "lazy", alt: "" })),
        h("h3", {}, h("a", { href: `demos/${page}` }, title)), h("p", { class: "small" }, text))))),
    h("section", { class: "card", "aria-labelledby": "documents-title" },
      h("h2", { id: "documents-title" }, "Documents"),
      h("p", { class: "small" }, "These files are in the repository of iot.wasm:"),
      h("dl", {}, DOCUMENTS.flatMap(([name, text]) => [h("dt", {}, h("code", {}, name)), h("dd", {}, text)]))),
    h("section", { class: "card", "aria-labelledby": "pages-title" },
      h("h2", { id: "pages-title" }, "On the web"),
      h("ul", { class: "pages" }, PAGES.map(([address, title]) => h("li", {}, h("a", { href: address, rel: "noreferrer" }, title))))),
  );
}

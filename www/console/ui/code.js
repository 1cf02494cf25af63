import { ACTIONS, LANGUAGES, snippet } from "../core/code/snippets.js";
import { kept } from "../core/storage.js";
import { $, button, copy, h, tabs } from "./dom.js";

/** What a program of each language needs. */
const NEEDS = {
  script: "Copy iot.global.js and iot.wasm to the folder of the page.",
  module: "Copy iot.js, the folder iot, wasm_exec.js and iot.wasm to the folder of the module.",
  react: "Install the package of “make dist”: npm install ./dist.",
  typescript: "Install the package of “make dist”: npm install ./dist. It contains the typings.",
};

/**
 * The dialog with the code of an action. `app.showCode(action, arguments)` opens it; core/code/snippets.js has the actions.
 * @param {import("../main.js").App} app
 */
export function mountCode(app) {
  const title = h("h2", { id: "code-title", class: "grow" });
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": "Language" },
    LANGUAGES.map(({ id, title }) => h("button", { type: "button", role: "tab", id: `code-${id}`, "aria-controls": `code-panel-${id}` }, title)));
  const panels = LANGUAGES.map(({ id }) => h("pre", { id: `code-panel-${id}`, role: "tabpanel", "aria-labelledby": `code-${id}`, tabIndex: 0 }));
  const needs = h("p", { class: "small" });
  const dialog = h("dialog", { id: "code", "aria-labelledby": "code-title" },
    h("div", { class: "row head" }, title, button("Close", () => dialog.close())),
    h("div", { class: "row head" }, list, h("span", { class: "grow" }), button("Copy", ({ currentTarget }) => copy(currentTarget, shown().textContent, shown()), { id: "code-copy" })),
    panels, needs);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop
  const shown = () => /** @type {HTMLElement} */ (panels.find((panel) => !panel.hidden));
  const select = tabs(list, (id) => {
    const language = id.replace("code-", "");
    needs.textContent = NEEDS[language];
    kept.set("language", language);
  });

  app.showCode = (action, given = {}, profile = app.connection.profile) => {
    title.textContent = `Code: ${ACTIONS[action].title}`;
    for (const [i, { id }] of LANGUAGES.entries()) panels[i].textContent = snippet(action, given, profile, id);
    document.body.append(dialog); // select() finds the panels by their ids
    const language = kept.get("language", "module");
    select(`code-${NEEDS[language] ? language : "module"}`);
    dialog.showModal();
    list.querySelector("[aria-selected=true]").focus();
  };
  /** The values of the forms, for the actions that have a form. They throw the error of a field. */
  const forms = {
    publish: () => app.composed(),
    request: () => app.composed(),
    subscribe() {
      const { filter, qos } = $("subscribe").elements;
      return { filter: filter.value || undefined, options: { qos: Number(qos.value) } };
    },
  };
  const show = (action) => app.run(async () => {
    await app.ready;
    app.showCode(action, forms[action]?.());
  });
  for (const [action, { title }] of Object.entries(ACTIONS)) app.commands.add({ id: `code-${action}`, title: `Code: ${title}`, last: true, run: () => show(action) });
  $("publish-code").addEventListener("click", () => show("publish"));
  $("subscribe-code").addEventListener("click", () => show("subscribe"));
}

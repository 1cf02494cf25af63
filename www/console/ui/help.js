import { button, h } from "./dom.js";

/** The keys that are no commands. @type {[keys: string, title: string][]} */
const OTHERS = [
  ["Ctrl+Enter", "Publish, in a field of the form"],
  ["↑ ↓", "Select a message, a topic or a command"],
  ["Esc", "Close a dialog"],
];

/**
 * The dialog that shows the keys of the page.
 * @param {import("../main.js").App} app
 */
export function mountHelp({ commands }) {
  const rows = h("tbody");
  const dialog = h("dialog", { id: "help", "aria-labelledby": "help-title" },
    h("div", { class: "row head" }, h("h2", { id: "help-title", class: "grow" }, "Keys"), button("Close", () => dialog.close())),
    h("table", {}, h("thead", { class: "hidden" }, h("tr", {}, h("th", { scope: "col" }, "Key"), h("th", { scope: "col" }, "Effect"))), rows),
    h("p", { class: "small" }, "Keys without Ctrl do not work while you type into a field. On a Mac, ⌘ also works as Ctrl."));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop

  const open = () => {
    const all = [...commands.list.filter(({ keys }) => keys).map(({ keys, title }) => [keys, title]), ...OTHERS];
    rows.replaceChildren(...all.map(([keys, title]) => h("tr", {}, h("td", {}, ...keys.split("+").flatMap((key, i) => [i > 0 && " ", h("kbd", {}, key)])), h("td", {}, title))));
    document.body.append(dialog);
    dialog.showModal();
  };
  commands.add({ id: "help", title: "Show all keys", keys: "?", run: open });
}

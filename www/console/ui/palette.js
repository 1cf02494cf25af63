import { match } from "../core/fuzzy.js";
import { kept } from "../core/storage.js";
import { $, h } from "./dom.js";

const MAX_RECENT = 6;

/**
 * The command palette: a field that searches the commands, and a list of them. Without a text, the commands that were used
 * last are the first ones. It follows the pattern "combobox with a listbox popup" of the ARIA Authoring Practices Guide.
 * @param {import("../main.js").App} app
 */
export function mountPalette({ commands, run }) {
  const field = h("input", {
    id: "palette-field", type: "text", role: "combobox", placeholder: "Search a command", spellcheck: false, autocomplete: "off",
    "aria-label": "Command", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list", oninput: () => show(),
  });
  const list = h("ul", { id: "palette-list", role: "listbox", "aria-label": "Commands" });
  const none = h("p", { class: "dim", role: "status" });
  const dialog = h("dialog", { id: "palette", "aria-label": "Command palette" }, field, list, none);
  dialog.addEventListener("close", () => dialog.remove());
  /** The commands that are shown. @type {any[]} */
  let shown = [];
  let selected = 0;

  const show = () => {
    const text = field.value.trim(), recent = kept.get("recent", []);
    const age = ({ id }) => (recent.includes(id) ? recent.indexOf(id) : MAX_RECENT);
    const found = commands.list.filter(({ id, hidden }) => !hidden && id !== "palette")
      .map((command) => ({ command, match: match(text, command.title) }))
      .filter(({ match }) => match)
      .sort((a, b) => b.match.score - a.match.score || age(a.command) - age(b.command) || Number(a.command.last ?? 0) - Number(b.command.last ?? 0));
    shown = found.map(({ command }) => command);
    list.replaceChildren(...found.map(({ command, match }, i) => h("li", { id: `palette-${i}`, role: "option" },
      h("span", {}, ...[...command.title].map((c, at) => (match.at.includes(at) ? h("b", {}, c) : c))),
      !text && recent.includes(command.id) && h("span", { class: "dim small" }, "recent"),
      command.keys && h("kbd", {}, command.keys.replace("+", " ")))));
    none.textContent = shown.length ? "" : "No command matches.";
    list.hidden = shown.length === 0;
    select(0);
  };
  const select = (index) => {
    selected = Math.max(0, Math.min(shown.length - 1, index));
    for (const [i, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(i === selected));
    if (shown.length) field.setAttribute("aria-activedescendant", `palette-${selected}`);
    else field.removeAttribute("aria-activedescendant");
    list.children[selected]?.scrollIntoView({ block: "nearest" });
  };
  const choose = (index) => {
    const command = shown[index];
    if (!command) return;
    kept.set("recent", [command.id, ...kept.get("recent", []).filter((id) => id !== command.id)].slice(0, MAX_RECENT));
    dialog.close();
    run(() => command.run());
  };

  field.addEventListener("keydown", (event) => {
    const to = { ArrowDown: (selected + 1) % (shown.length || 1), ArrowUp: selected === 0 ? shown.length - 1 : selected - 1, PageDown: selected + 8, PageUp: selected - 8 }[event.key];
    if (event.key === "Enter" && !event.isComposing) choose(selected);
    else if (to !== undefined) select(to);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", ({ target }) => choose([...list.children].indexOf(target.closest("li"))));
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop

  const open = () => {
    field.value = "";
    document.body.append(dialog);
    dialog.showModal();
    show();
    field.focus();
  };
  dialog.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    dialog.close();
  });
  commands.add({ id: "palette", title: "Search the commands", keys: "Ctrl+K", run: open });
  $("commands").addEventListener("click", open);
}

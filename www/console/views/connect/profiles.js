import { KINDS } from "../../core/profiles/fields.js";
import { button, h } from "../../ui/dom.js";

/**
 * The list of profiles: select, add, import and export.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 * @param {() => void} focusForm moves the focus to the form of the selected profile
 */
export function mountProfiles(root, { profiles, connection, commands, run }, focusForm) {
  const list = h("ul", { id: "profiles", "aria-labelledby": "profiles-title" });
  const kind = h("select", { id: "new-kind" }, ...Object.entries(KINDS).filter(([id]) => id !== "local").map(([id, { title }]) => h("option", { value: id }, title)));
  const create = h("form", { id: "new-profile" },
    h("label", {}, "New profile", kind),
    h("button", {}, "Add"));
  create.addEventListener("submit", (event) => {
    event.preventDefault();
    profiles.add(kind.value);
    focusForm();
  });
  commands.add({ id: "new-profile", title: "Connect: new profile", run: () => ((location.hash = "#/connect"), kind.focus()) });

  const told = h("output", { id: "imported", class: "small" });
  const file = h("input", {
    type: "file", id: "import-file", accept: ".json,application/json", hidden: true, "aria-label": "File with profiles",
    onchange: () => run(async () => {
      const [chosen] = file.files;
      if (!chosen) return;
      told.textContent = "";
      const text = chosen.size > 1 << 20 ? " ".repeat(1 + (1 << 20)) : await chosen.text();
      file.value = "";
      const count = profiles.importText(text);
      told.textContent = `${count} ${count === 1 ? "profile was" : "profiles were"} added. The file contains no secrets.`;
    }),
  });
  const download = () => {
    const url = URL.createObjectURL(new Blob([profiles.exportText()], { type: "application/json" }));
    h("a", { href: url, download: "iot-profiles.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    told.textContent = "The profiles were exported without their secrets.";
  };
  commands.add({ id: "export-profiles", title: "Connect: export the profiles without secrets", run: download });
  const undo = button("", () => profiles.restore(), { id: "undo" });
  root.append(h("h2", { id: "profiles-title" }, "Profiles"), list, create,
    h("p", { class: "row" },
      button("Import …", () => file.click(), { id: "import" }), button("Export", download, { id: "export", title: "Export all profiles, without their secrets" }), file),
    told, undo);

  const show = () => {
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
    list.replaceChildren(...profiles.list.map((profile) => {
      const { id, name, kind, endpoint, backend } = profile;
      const used = connection.profile.id === id && connection.active;
      const item = button("", () => profiles.select(id), { dataset: { id } });
      if (profiles.selected.id === id) item.setAttribute("aria-current", "true");
      item.append(h("span", { class: "name" }, name), h("span", { class: "dim where" },
        used && h("span", { class: "badge good" }, "in use"), profiles.startId === id && h("span", { class: "badge" }, "at start"),
        [KINDS[kind].title !== name && KINDS[kind].title, shortOf(endpoint || backend)].filter(Boolean).join(" · ")));
      return h("li", {}, item);
    }));
    undo.hidden = !profiles.removed;
    undo.textContent = profiles.removed ? `Undo: delete “${profiles.removed.profile.name}”` : "";
    if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  };
  profiles.changed.on(show);
  connection.changed.on(show);
  show();
}

/** Returns an address without its scheme and its query. @param {string} [address] */
const shortOf = (address) => address?.replace(/^\w+:\/\//, "").replace(/\?.*/, "");

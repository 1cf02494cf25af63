import { oncePerFrame } from "../../core/emitter.js";
import { previewOf, sizeOf } from "../../core/payload.js";
import { errorText } from "../../core/publish/publish.js";
import { $, button, clock, h } from "../../ui/dom.js";

/**
 * The saved messages and the history of published messages. A click on one fills the form.
 * @param {import("../../core/publish/publish.js").Publisher} publisher
 * @param {(work: (draft: import("../../core/publish/draft.js").Draft) => unknown) => unknown} use calls work with the message of the form
 * @param {(draft: import("../../core/publish/draft.js").Draft) => void} fill
 * @param {import("../../core/commands.js").Commands} commands
 */
export function mountHistory({ saved, history }, use, fill, commands) {
  const root = $("publish-history"), badge = root.querySelector(".tally");
  const note = h("p", { class: "small", role: "status", id: "saved-note" });
  const say = (text, bad = false) => {
    note.textContent = text;
    note.classList.toggle("bad", bad);
  };
  const attempt = async (work) => {
    try {
      say(await work() ?? "");
    } catch (error) {
      say(errorText(error), true);
    }
  };

  // Saved messages.
  const name = h("input", { name: "saveAs", spellcheck: false, maxLength: 100 });
  const save = button("Save", () => use((draft) => attempt(() => {
    saved.save(name.value || draft.topic, draft);
    name.value = "";
    return "Saved.";
  })), { id: "save-message" });
  const list = h("ul", { class: "entries", id: "saved", "aria-label": "Saved messages" });
  const chooser = h("input", {
    type: "file", accept: ".json,application/json", hidden: true, id: "import-chooser",
    onchange: () => attempt(async () => {
      const [file] = chooser.files;
      if (!file) return;
      if (file.size > 2 * saved.maxSize) throw new RangeError("the file is too large");
      const text = await file.text();
      chooser.value = "";
      return `Imported: ${saved.import(text)}.`;
    }),
  });
  const exportAll = button("Export", () => {
    const url = URL.createObjectURL(new Blob([saved.export()], { type: "application/json" }));
    h("a", { href: url, download: "saved-messages.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }, { id: "export-saved" });
  const bound = h("p", { class: "small" });

  const savedItem = ({ name: text, draft }) => {
    const item = h("li", {},
      h("button", { type: "button", class: "entry", onclick: () => fill(draft), title: "Fill the form" }, h("span", {}, text), h("span", { class: "dim topic" }, draft.topic)),
      button("Rename", () => rename(item, text), { "aria-label": `Rename ${text}` }),
      button("×", () => {
        saved.remove(text);
        (list.querySelector(".entry") ?? name).focus();
      }, { "aria-label": `Delete ${text}` }));
    return item;
  };
  /** Replaces the row by a field for the name. Enter accepts it, Escape does not. */
  const rename = (item, before) => {
    let done = false;
    const finish = (accept) => {
      if (done) return;
      done = true;
      attempt(() => {
        if (accept) saved.rename(before, field.value);
      }).then(showSaved).then(() => [...list.querySelectorAll("[aria-label]")].find((b) => b.getAttribute("aria-label") === `Rename ${accept ? field.value.trim() : before}`)?.focus());
    };
    const field = h("input", {
      value: before, "aria-label": `New name of ${before}`, spellcheck: false, maxLength: 100, onblur: () => finish(true),
      onkeydown: (event) => {
        if (event.ctrlKey || event.metaKey || (event.key !== "Enter" && event.key !== "Escape")) return;
        event.preventDefault();
        event.stopPropagation();
        finish(event.key === "Enter");
      },
    });
    item.replaceChildren(field);
    field.select();
    field.focus();
  };

  // The history.
  const published = h("ul", { class: "entries", id: "published-list", "aria-label": "Published messages" });
  const historyBound = h("p", { class: "small" });
  const clear = button("Clear", () => history.clear(), { id: "clear-history" });
  const choose = ({ draft, omitted }) => {
    fill(draft);
    if (omitted !== undefined) say(`The payload of ${sizeOf(omitted)} was too large to be kept.`, true);
  };
  const historyItem = (entry) => h("li", {}, h("button", { type: "button", class: "entry", onclick: () => choose(entry), title: "Fill the form" },
    h("span", {}, h("span", { class: "topic" }, entry.draft.topic), h("span", { class: "dim" }, ` ${clock(entry.time).slice(0, 8)}${entry.count > 1 ? ` · ${entry.count.toLocaleString()} times` : ""}`)),
    h("span", { class: "payload dim" }, entry.omitted === undefined ? previewOf(new TextEncoder().encode(entry.draft.payload.slice(0, 200)), 100) : sizeOf(entry.omitted)),
    h("span", { class: entry.failed ? "bad" : "dim" }, entry.result)));

  root.append(h("div", { class: "part" },
    h("h3", {}, "Saved"),
    h("div", { class: "pair", dataset: { enter: "save-message" } }, h("label", {}, "Save the message as", name), save), list, note,
    h("div", { class: "pair" }, exportAll, button("Import", () => chooser.click(), { id: "import-saved" }), chooser), bound,
    h("h3", {}, "Published"), published, h("div", { class: "pair" }, historyBound, clear)));

  let removers = [];
  const showSaved = () => {
    list.replaceChildren(...saved.list.map(savedItem));
    exportAll.disabled = saved.list.length === 0;
    badge.textContent = saved.list.length ? `${saved.list.length} saved` : "";
    bound.textContent = `${sizeOf(saved.size)} of at most ${sizeOf(saved.maxSize)}, kept in this browser.`;
    for (const remove of removers) remove();
    removers = saved.list.map(({ name: text, draft }) => commands.add({ id: `saved-${text}`, title: `Saved message: ${text}`, run: () => fill(draft) }));
  };
  const showHistory = oncePerFrame(() => {
    if (!root.open) return;
    published.replaceChildren(...history.list.map(historyItem));
    clear.disabled = history.list.length === 0;
    historyBound.textContent = `${history.list.length} messages, ${sizeOf(history.size)} of at most ${sizeOf(history.maxSize)}, kept in this browser.`;
  });
  saved.changed.on(showSaved);
  history.changed.on(showHistory);
  root.addEventListener("toggle", showHistory);
  showSaved();
}

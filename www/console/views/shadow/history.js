import { sizeOf } from "../../core/payload.js";
import { changeText, equal, patchOf } from "../../core/things/shadow-state.js";
import { MAX_HISTORY, MAX_VERSIONS } from "../../core/things/shadow-model.js";
import { button, clock, h } from "../../ui/dom.js";
import { changeList } from "./tree.js";

/**
 * The last versions of the shadow with their differences. An entry is created once, so that an open one stays open.
 * @param {(patch: object) => void} request sends an update of desired
 */
export function createHistory(request) {
  const list = h("ol", { id: "shadow-history", "aria-label": "Versions, newest first" });
  const bound = h("p", { class: "small" });
  const element = h("section", { class: "card", "aria-labelledby": "shadow-history-title" }, h("h2", { id: "shadow-history-title" }, "Versions"), bound, list);
  let items = new Map(), model;

  const create = (entry) => {
    const { version, time, state, changes } = entry;
    const own = h("span", { class: "small" });
    const title = version === undefined ? "Deleted" : `Version ${version}`;
    const summary = changes.length ? changes.slice(0, 3).map(changeText).join(", ") : version === undefined ? "" : "as it was when the page first saw it";
    const more = changes.length > 3 ? `, and ${changes.length - 3} more` : "";
    const restore = button("Request this desired state again", () => {
      const patch = patchOf(model.desired, state.desired);
      if (patch) request(patch);
    }, { hidden: version === undefined });
    const item = h("li", {}, h("details", {},
      h("summary", {}, h("strong", {}, title), " ", h("time", { class: "dim" }, clock(time)), " ", own, " ", h("span", { class: "difference" }, summary + more)),
      changes.length > 0 && changeList(changes),
      h("pre", { tabIndex: 0 }, JSON.stringify(state, undefined, 2)),
      restore));
    return { item, own, restore };
  };

  return {
    element,
    /** @param {import("../../core/things/shadow-model.js").ShadowModel} shown */
    update(shown) {
      model = shown;
      const before = items;
      items = new Map(model.history.map((entry) => [entry, before.get(entry) ?? create(entry)]));
      for (const [entry, { item }] of before) if (!items.has(entry)) item.remove();
      [...items].forEach(([{ version, state }, { item, own, restore }], i) => {
        if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
        own.textContent = version !== undefined && model.isOwn(version) ? "by this page" : "";
        restore.disabled = equal(model.desired, state.desired) || model.version === undefined;
      });
      bound.textContent = `The last ${model.history.length} of at most ${MAX_VERSIONS} versions since the shadow was opened here, ${sizeOf(model.bytes)} of at most ${sizeOf(MAX_HISTORY)}.${model.removed ? ` ${model.removed} older ones were removed.` : ""}`;
    },
  };
}

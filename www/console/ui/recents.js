import { button, h } from "./dom.js";

/**
 * A list of buttons for the values that the user has chosen last.
 * @param {import("../core/things/recent.js").Recent} recent
 * @param {(value: any) => string} textOf
 * @param {(value: any) => void} choose
 */
export function recentsOf(recent, textOf, choose) {
  const list = h("ul", { class: "recents", "aria-label": "Recent" });
  const show = () => {
    const items = recent.list.map((value) => h("li", {}, button(textOf(value), () => choose(value))));
    const clear = button("Forget these", () => (recent.clear(), show()), { class: "plain" });
    list.replaceChildren(...items, ...(items.length ? [h("li", {}, clear)] : []));
    list.hidden = items.length === 0;
  };
  show();
  return { element: list, show };
}

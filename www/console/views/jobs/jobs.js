import { h } from "../../ui/dom.js";

/**
 * The view "jobs".
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mount(root, app) {
  root.append(h("section", { class: "card" }, h("h2", {}, "Jobs")));
}

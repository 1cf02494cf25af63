import { button, h } from "./dom.js";

/**
 * Asks the user in a dialog. Resolves with true if the user agrees. Escape and Cancel answer no.
 * @param {string} title
 * @param {string} text
 * @param {string} action the text of the button that agrees
 * @returns {Promise<boolean>}
 */
export function confirm(title, text, action) {
  return new Promise((resolve) => {
    const cancel = button("Cancel", () => dialog.close());
    const dialog = h("dialog", { class: "confirm", "aria-labelledby": "confirm-title", onclose: () => (dialog.remove(), resolve(dialog.returnValue === "yes")) },
      h("h2", { id: "confirm-title" }, title),
      h("p", {}, text),
      h("div", { class: "row actions" }, cancel, button(action, () => dialog.close("yes"), { class: "primary danger" })));
    document.body.append(dialog);
    dialog.showModal();
    cancel.focus();
  });
}

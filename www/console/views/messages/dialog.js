import { button, h } from "../../ui/dom.js";

let lastId = 0;

/**
 * Opens a modal dialog, and removes it after it was closed. Escape closes it.
 * @param {string} title
 * @param {any[]} content nodes and texts
 * @param {{ accept?: string, onaccept?(): void, close?: string }} [options] the button that accepts, which submits a form,
 * and the name of the button that closes
 * @returns {HTMLDialogElement}
 */
export function openDialog(title, content, { accept, onaccept, close = accept ? "Cancel" : "Close" } = {}) {
  const id = `dialog-${++lastId}`;
  const form = h("form", {
    method: "dialog",
    onsubmit(event) {
      if (!accept) return;
      event.preventDefault();
      dialog.close();
      onaccept?.();
    },
  }, h("h2", { id }, title), ...content, h("div", { class: "row" }, h("span", { class: "grow" }), button(close, () => dialog.close(), { class: "close" }), accept && h("button", { class: "primary" }, accept)));
  const dialog = h("dialog", { "aria-labelledby": id, onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

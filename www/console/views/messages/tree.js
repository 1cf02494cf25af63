/**
 * The reader that shows messages as a tree.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mountTree(root, app) {
  return { show() {} };
}

/**
 * The reader that shows messages as a chart.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mountChart(root, app) {
  return { show() {} };
}

import { h } from "./dom.js";

const loaded = new Map(); // name → promise

/** Loads a stylesheet that several views share, once. Resolves also if it cannot be loaded. @param {string} name its file in css/ */
export function stylesheet(name) {
  if (!loaded.has(name)) {
    loaded.set(name, new Promise((resolve) => document.head.append(h("link", { rel: "stylesheet", href: `console/css/${name}.css`, onload: resolve, onerror: resolve }))));
  }
  return loaded.get(name);
}

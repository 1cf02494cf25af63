/** Returns the element with an id. @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/**
 * Returns a new element. A member of properties whose name begins with "on" is a listener; "class" and names with a hyphen
 * are attributes; "dataset" is an object; the others are properties of the element. Children are nodes or texts; false,
 * null and undefined are omitted.
 * @param {string} name
 * @param {Record<string, any>} [properties]
 * @param {...any} children
 * @returns {any}
 */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class" || key === "role" || key.includes("-")) element.setAttribute(key, value);
    else if (key === "dataset") Object.assign(element.dataset, value);
    else element[key] = value;
  }
  element.append(...children.flat().filter((child) => child !== false && child != null));
  return element;
}

/** Returns a button that is no submit button. */
export const button = (text, onclick, properties = {}) => h("button", { type: "button", onclick, ...properties }, text);

let lastSecond = NaN, lastText = "";

/** Returns a time as text, with milliseconds. @param {number} time in milliseconds since 1970 */
export function clock(time) {
  const second = Math.floor(time / 1000);
  // A list shows many times of the same second, and the formatting by the browser is slow.
  if (second !== lastSecond) [lastSecond, lastText] = [second, new Date(time).toLocaleTimeString([], { hour12: false })];
  return `${lastText}.${String(Math.floor(time) - second * 1000).padStart(3, "0")}`;
}

/** Copies a text, and shows on the button that it has. Selects the text of the element if the browser refuses. */
export async function copy(button, text, element) {
  try {
    await navigator.clipboard.writeText(text);
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = before), 1500);
  } catch {
    if (element) getSelection().selectAllChildren(element);
  }
}

/**
 * Makes tabs of the buttons in a tablist: click, arrow keys, Home and End. Each button names its panel by aria-controls.
 * @param {HTMLElement} list
 * @param {(name: string) => void} [selected] receives the id of the tab
 * @returns {(id: string) => void} selects a tab by its id
 */
export function tabs(list, selected = () => {}) {
  const buttons = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=tab]")]);
  const select = (id) => {
    for (const tab of buttons) {
      const on = tab.id === id;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      $(tab.getAttribute("aria-controls")).hidden = !on;
    }
    selected(id);
  };
  list.addEventListener("click", ({ target }) => {
    const tab = /** @type {HTMLElement} */ (target).closest("[role=tab]");
    if (tab) select(tab.id);
  });
  list.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const tab = buttons[(to + buttons.length) % buttons.length];
    tab.focus();
    select(tab.id);
  });
  return select;
}

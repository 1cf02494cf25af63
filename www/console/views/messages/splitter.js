import { kept } from "../../core/storage.js";

const STEP = 4; // per cent, for the arrow keys
const MIN = 20, MAX = 80;

/**
 * Makes an element a separator between two panels: the user moves it with the mouse or the arrow keys. The style property
 * --share of the container is the share of the second panel. The browser keeps it.
 * @param {HTMLElement} handle
 * @param {HTMLElement} container
 * @param {() => boolean} sideBySide whether the panels are side by side, not one below the other
 */
export function mountSplitter(handle, container, sideBySide) {
  let share = 50;
  const set = (value) => {
    share = Math.round(Math.min(MAX, Math.max(MIN, value)));
    container.style.setProperty("--share", `${share}%`);
    handle.setAttribute("aria-valuenow", String(share));
    handle.setAttribute("aria-orientation", sideBySide() ? "vertical" : "horizontal");
  };
  const keep = () => kept.set("split", share);
  handle.setAttribute("role", "separator");
  handle.setAttribute("aria-label", "Size of the details");
  handle.setAttribute("aria-valuemin", String(MIN));
  handle.setAttribute("aria-valuemax", String(MAX));
  handle.tabIndex = 0;
  set(Number(kept.get("split", 50)) || 50);
  new ResizeObserver(() => set(share)).observe(container);

  handle.addEventListener("keydown", (event) => {
    const step = { ArrowUp: STEP, ArrowLeft: STEP, ArrowDown: -STEP, ArrowRight: -STEP }[event.key];
    if (!step) return;
    event.preventDefault();
    set(share + step);
    keep();
  });
  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    const move = ({ clientX, clientY }) => {
      const box = container.getBoundingClientRect();
      set(100 * (sideBySide() ? (box.right - clientX) / box.width : (box.bottom - clientY) / box.height));
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", () => {
      handle.removeEventListener("pointermove", move);
      keep();
    }, { once: true });
  });
}

import { MAX_HISTORY } from "../../core/connection.js";
import { clock, h } from "../../ui/dom.js";

/**
 * The history of the states of the connection, newest first. Returns a function that draws it.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mountHistory(root, { connection }) {
  const list = h("ol", { id: "history", tabIndex: 0, "aria-labelledby": "history-title" });
  root.append(h("h2", { id: "history-title" }, "History"), list, h("p", { class: "small" }, `The last ${MAX_HISTORY} changes are kept, also when the profile changes. docs/errors.md describes each code.`));

  const item = ({ time, event, text, profile, error }) => h("li", { dataset: { event } },
    h("p", {}, h("time", { dateTime: new Date(time).toISOString() }, clock(time)), " ", h("strong", { class: error ? "bad" : event === "connected" ? "good" : "" }, event), " ",
      h("span", { class: "dim" }, [profile, text].filter(Boolean).join(" · "))),
    error && h("p", { class: "reason" }, error.code ? h("code", {}, error.code) : "", error.code ? " " : "", error.message),
    error && h("p", { class: "small" }, factsOf(error)));

  let newest; // the newest change that is drawn
  return () => {
    const { history } = connection;
    const added = history.slice(history.indexOf(newest) + 1);
    newest = history.at(-1);
    list.prepend(...added.map(item).reverse());
    while (list.children.length > history.length) list.lastChild.remove();
  };
}

/** Returns what an error says beside its message. @param {any} error */
function factsOf({ phase, retryable, reasonCode, closeCode }) {
  return [
    phase && `in the step “${phase}”`,
    reasonCode !== undefined && `MQTT reason code 0x${reasonCode.toString(16).padStart(2, "0").toUpperCase()}`,
    closeCode !== undefined && `WebSocket close code ${closeCode}`,
    phase && (retryable ? "another attempt may succeed" : "the same attempt fails again"),
  ].filter(Boolean).join(" · ");
}

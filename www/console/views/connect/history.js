import { MAX_HISTORY } from "../../core/connection.js";
import { button, clock, h } from "../../ui/dom.js";

const FIRST = 20; // the number of changes that are shown at first

/**
 * The history of the states of the connection, newest first. Returns a function that draws it.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mountHistory(root, { connection }) {
  const list = h("ol", { id: "history" });
  let all = false;
  const more = button("", () => {
    all = !all;
    draw();
  }, { id: "history-all" });
  root.append(h("h2", { id: "history-title" }, "History"), list, more, h("p", { class: "small" }, `The last ${MAX_HISTORY} changes are kept, also when the profile changes. docs/errors.md describes each code.`));

  const item = ({ time, event, text, profile, error }) => h("li", { dataset: { event } },
    h("p", {}, h("time", { dateTime: new Date(time).toISOString() }, clock(time)), " ", h("strong", { class: error ? "bad" : event === "connected" ? "good" : "" }, event), " ",
      h("span", { class: "dim" }, [profile, text].filter(Boolean).join(" · "))),
    error && h("p", { class: "reason" }, error.code ? h("code", {}, error.code) : "", error.code ? " " : "", error.message),
    error && h("p", { class: "small" }, factsOf(error)));

  const draw = () => {
    const { history } = connection;
    const changes = (all ? history : history.slice(-FIRST)).toReversed();
    list.replaceChildren(...changes.map(item));
    more.hidden = history.length <= FIRST;
    more.textContent = all ? `Show the last ${FIRST}` : `Show all ${history.length}`;
  };
  return draw;
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

import { hexOf, sizeOf, textOf } from "../../core/payload.js";
import { formatJson, jsonProblem } from "../../core/publish/json.js";
import { errorText } from "../../core/publish/publish.js";
import { $, button, h } from "../../ui/dom.js";

// The part of a reply that is shown, in bytes. The reader of messages shows the whole payload.
const MAX_SHOWN = 16 << 10;

/**
 * The part of the form that publishes its message as a request and shows the reply, and the responder.
 * @param {import("../../core/publish/publish.js").Publisher} publisher
 * @param {(work: (draft: import("../../core/publish/draft.js").Draft) => any) => unknown} use calls work with the message of the form
 * @param {any} form
 */
export function mountRequest(publisher, use, form) {
  const root = $("publish-request"), badge = root.querySelector(".tally"), { responder } = publisher;

  // The request.
  const timeout = h("input", { name: "timeout", type: "number", min: "1", max: "2147483647", value: "5000", required: true });
  const output = h("output", { class: "small reply", id: "reply", role: "status" });
  /** @type {AbortController | undefined} */
  let pending;
  const send = button("Send the request", () => {
    if (pending) return pending.abort(new Error("the request was cancelled"));
    use((draft) => {
      if (!timeout.validity.valid) throw new RangeError("the timeout must be an integer from 1 to 2,147,483,647 ms");
      request(draft, Number(timeout.value));
    });
  }, { id: "request-send" });
  const request = async (draft, timeoutMs) => {
    pending = new AbortController();
    send.textContent = "Cancel";
    output.replaceChildren("Waiting for the reply …");
    try {
      const { reply, ms } = await publisher.request(draft, timeoutMs, pending.signal);
      output.replaceChildren(...show(reply, ms));
    } catch (error) {
      output.replaceChildren(h("p", { class: "bad" }, errorText(error), ...adviceOf(error)));
    }
    pending = undefined;
    send.textContent = "Send the request";
  };

  // The responder.
  const filter = h("input", { name: "respondTo", spellcheck: false, placeholder: "the topic above" });
  const template = h("textarea", { name: "respondWith", rows: 2, spellcheck: false, value: '{"answer": {{n}}, "at": "{{time}}"}' });
  const state = h("p", { class: "small", role: "status", id: "responder-state" });
  const toggle = button("Answer requests", async () => {
    if (responder.state !== "stopped") return responder.stop().catch(() => {});
    filter.value ||= form.elements.topic.value;
    await responder.start(filter.value, template.value).catch(() => {}); // the state shows the error
  }, { id: "respond" });

  root.append(h("div", { class: "part" },
    h("p", { class: "small" }, "Publishes the message above with a response topic, and shows the first reply with its correlation data."),
    h("div", { class: "pair", dataset: { enter: "request-send" } }, h("label", {}, "Timeout in ms", timeout), send), output,
    h("h3", {}, "Responder"),
    h("p", { class: "small" }, "This page can answer the requests itself. The reply may have templates, also {{topic}} and {{payload}} of the request."),
    h("div", { dataset: { enter: "respond" } }, h("label", {}, "Topic or filter", filter)),
    h("label", {}, "Reply", template), h("div", {}, toggle), state));

  const showResponder = () => {
    const on = responder.state !== "stopped";
    toggle.textContent = on ? "Stop answering" : "Answer requests";
    toggle.setAttribute("aria-pressed", String(on));
    filter.readOnly = template.readOnly = on;
    badge.textContent = on ? "responder on" : "";
    state.textContent = [
      responder.state === "starting" && `Subscribing to ${responder.filter} …`,
      responder.state === "running" && `Answers requests to ${responder.filter}. Answered: ${responder.answered.toLocaleString()}.`,
      responder.error && errorText(responder.error),
    ].filter(Boolean).join(" ");
    state.classList.toggle("bad", Boolean(responder.error));
  };
  responder.changed.on(showResponder);
  showResponder();
}

/** Returns the elements that show a reply. */
function show(reply, ms) {
  const part = reply.payload.subarray(0, MAX_SHOWN), whole = part.length === reply.payload.length;
  const text = textOf(part);
  const shown = text === undefined ? hexOf(part.subarray(0, MAX_SHOWN / 4)) : whole && /^\s*[{[]/.test(text) && !jsonProblem(text) ? formatJson(text) : text;
  const details = [
    `Reply after ${Math.round(ms)} ms`, sizeOf(reply.payload.length), reply.contentType, `to ${reply.topic}`, ...reply.userProperties.map(([name, value]) => `${name}: ${value}`),
  ].filter(Boolean).join(" · ");
  return [
    h("p", { class: "good" }, details),
    h("pre", { tabIndex: 0, role: "region", "aria-label": "Payload of the reply" }, shown),
    ...(whole ? [] : [h("p", {}, `The first ${sizeOf(part.length)} are shown.`)]),
  ];
}

/** Returns advice for an error of a request. */
function adviceOf({ code }) {
  if (code === "ERR_REQUEST_TIMEOUT") return [". Does a device answer on this topic, and to the response topic? The responder below does."];
  if (code === "ERR_NO_RESPONDER") return [". The responder below can answer."];
  return [];
}

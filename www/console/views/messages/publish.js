import { argumentsOf, draftOf, draftOfMessage, plainDraft } from "../../core/publish/draft.js";
import { Publisher } from "../../core/publish/publish.js";
import { session } from "../../core/storage.js";
import { $, h } from "../../ui/dom.js";
import { mountHistory } from "./publish-history.js";
import { mountPayload } from "./publish-payload.js";
import { mountProperties } from "./publish-properties.js";
import { mountRepeat } from "./publish-repeat.js";
import { mountRequest } from "./publish-request.js";

// The bounds of the completion of topics: the topics, and the received messages that are searched for them.
const MAX_TOPICS = 200;
const MAX_SEARCHED = 5000;
// The longest payload that stays when the tab loads the page again, in characters.
const MAX_KEPT = 256 << 10;

/**
 * The form that publishes a message, and its parts. Adds to the app:
 *
 * - `app.publisher`, the Publisher of the page,
 * - `app.compose({ topic, payload, options })`, which fills the form with a message and moves the focus to its payload. The
 *   members are the arguments of publish(). With a topic only, the rest of the form stays as it is.
 * - `app.composed()`, which returns the arguments of publish() for the form: { topic, payload, options }. It throws a
 *   TypeError if a field is not valid.
 *
 * @param {any} app
 */
export function mountPublish(app) {
  const { connection, messages, commands } = app;
  const form = $("publish"), { topic, qos, retain } = form.elements;
  /** @type {Publisher} */
  const publisher = (app.publisher = new Publisher(connection.client));
  const payload = mountPayload(form, publisher, connection);
  const properties = mountProperties(form);

  /** Returns the message of the form. @returns {import("../../core/publish/draft.js").Draft} */
  const read = () => ({ topic: topic.value, qos: /** @type {0 | 1 | 2} */ (Number(qos.value)), retain: retain.checked, ...payload.read(), ...properties.read() });
  /** Shows a message in the form. */
  const fill = (draft) => {
    topic.value = draft.topic;
    qos.value = draft.qos;
    retain.checked = draft.retain;
    payload.fill(draft);
    properties.fill(draft);
  };
  /** Shows the view, and calls work, which moves the focus. A change of the view also moves the focus, so work comes after it. */
  const inView = (work) => {
    if (!$("view-messages").hidden) return work();
    addEventListener("hashchange", work, { once: true });
    app.show("messages");
  };
  const choose = (draft) => {
    fill(draft);
    inView(payload.focus);
  };
  /** Calls work with the message of the form. An error of a field, or of work, becomes a result. */
  const use = (work) => {
    try {
      return work(read());
    } catch (error) {
      publisher.fail(topic.value, error);
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    use((draft) => publisher.publish(draft));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    // In a field of a part with its own action, Enter starts that action.
    const action = event.target.matches("input") && event.target.closest("[data-enter]");
    if (!action) return;
    event.preventDefault();
    $(action.dataset.enter).click();
  });

  publisher.changed.on(() => {
    $("published").replaceChildren(...publisher.results.map(({ topic: name, state, text }, i, { length }) =>
      h("p", { class: { done: "good", failed: "bad", waiting: "waiting" }[state] }, length > 1 && h("span", { class: "mono" }, `${name}: `), text)));
  });

  topic.addEventListener("focus", () => {
    const topics = new Set(publisher.history.list.map(({ draft }) => draft.topic));
    for (let n = messages.next - 1; n >= Math.max(messages.first, messages.next - MAX_SEARCHED) && topics.size < MAX_TOPICS; n--) topics.add(messages.get(n).topic);
    $("topics").replaceChildren(...Array.from(topics, (value) => h("option", { value })));
  });

  mountRepeat(publisher, use);
  mountRequest(publisher, use, form);
  mountHistory(publisher, use, choose, commands);

  app.compose = (message) => {
    if (message.payload === undefined && message.options === undefined) {
      topic.value = message.topic;
      topic.dispatchEvent(new Event("input", { bubbles: true }));
      inView(payload.focus);
    } else choose(draftOfMessage(message.topic, message.payload, message.options));
  };
  app.composed = () => argumentsOf(read(), publisher.context);

  // The form stays as it is when the tab loads the page again.
  try {
    const draft = session.get("draft");
    if (draft) fill(draftOf(draft));
  } catch {} // another version has written it
  addEventListener("pagehide", () => {
    try {
      const draft = plainDraft(read());
      session.set("draft", draft.payload.length > MAX_KEPT ? undefined : draft);
    } catch {} // a field is not valid
  });

  const open = (id) => () => inView(() => {
    $(id).open = true;
    $(id).scrollIntoView({ block: "nearest" });
    $(id).querySelector("input").focus();
  });
  commands.add({ id: "publish", title: "Publish a message", keys: "N", run: () => inView(() => topic.focus()) });
  commands.add({ id: "publish-properties", title: "Publish: properties", run: open("publish-properties") });
  commands.add({ id: "publish-repeat", title: "Publish: repeat a message", run: open("publish-repeat") });
  commands.add({ id: "publish-request", title: "Publish: request and response", run: open("publish-request") });
  commands.add({ id: "publish-history", title: "Publish: saved and published messages", run: open("publish-history") });
}

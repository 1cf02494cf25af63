import { MAX_STATE, parseSection } from "../../core/things/shadow-state.js";
import { h } from "../../ui/dom.js";
import { JsonField } from "../../ui/json-field.js";

/**
 * The form that creates a shadow which does not exist.
 * @param {(state: object) => Promise<unknown>} create
 */
export function createMissing(create) {
  const desired = new JsonField({ label: "Desired", parse: parseSection, maxBytes: MAX_STATE, rows: 4 });
  const reported = new JsonField({ label: "Reported", parse: parseSection, maxBytes: MAX_STATE, rows: 4 });
  desired.show({ on: true });
  reported.show({ on: false });
  const submit = h("button", { class: "primary" }, "Create the shadow");
  const form = h("form", {
    id: "shadow-create",
    onsubmit: async (event) => {
      event.preventDefault();
      const wrong = [desired, reported].find((field) => field.value === undefined);
      if (wrong) return wrong.input.focus();
      submit.disabled = true;
      await create({ desired: desired.value, reported: reported.value });
      submit.disabled = false;
    },
  }, h("div", { class: "pair" }, reported.element, desired.element), h("div", { class: "row" }, submit));
  return h("section", { class: "card", "aria-labelledby": "shadow-create-title", hidden: true },
    h("h2", { id: "shadow-create-title" }, "This shadow does not exist"),
    h("p", { class: "small" }, "The first update creates it. Edit the states that it begins with."), form);
}

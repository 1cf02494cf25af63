import { countProperties } from "../../core/publish/draft.js";
import { $, button, h } from "../../ui/dom.js";

const MAX_ROWS = 100;

/**
 * The MQTT 5 properties of the message in the form.
 * @param {any} form
 */
export function mountProperties(form) {
  const root = $("publish-properties"), badge = root.querySelector(".tally");
  const field = (name, properties) => h("input", { name, spellcheck: false, autocomplete: "off", ...properties });
  const contentType = field("contentType", { placeholder: "application/json" });
  contentType.setAttribute("list", "content-types");
  const responseTopic = field("responseTopic");
  const correlation = field("correlation"), correlationForm = h("select", { name: "correlationForm", "aria-label": "Form of the correlation data" }, h("option", { value: "text" }, "Text"), h("option", { value: "hex" }, "Hex"));
  const expiry = field("messageExpiry", { type: "number", min: "0", max: "4294967295", step: "1", placeholder: "no limit" });
  const utf8 = h("input", { type: "checkbox", name: "utf8" });
  const rows = h("div", { class: "part-rows part", id: "user-properties" });

  const row = (name = "", value = "") => {
    const element = h("div", { class: "pair" },
      h("input", { value: name, placeholder: "name", "aria-label": "Name of a user property", spellcheck: false }),
      h("input", { value, placeholder: "value", "aria-label": "Value of the user property", spellcheck: false }),
      button("×", () => {
        const next = element.nextElementSibling ?? element.previousElementSibling;
        element.remove();
        (next?.querySelector("input") ?? add).focus();
        showBadge();
      }, { "aria-label": "Remove the user property" }));
    return element;
  };
  const add = button("Add a user property", () => {
    if (rows.childElementCount >= MAX_ROWS) return;
    const element = row();
    rows.append(element);
    element.querySelector("input").focus();
  }, { id: "add-property" });

  root.append(h("div", { class: "part" },
    h("label", {}, "Content type", contentType),
    h("datalist", { id: "content-types" }, ["application/json", "text/plain", "application/cbor", "application/octet-stream", "image/png"].map((value) => h("option", { value }))),
    h("label", { class: "check" }, utf8, "The payload is UTF-8 text"),
    h("label", {}, "Response topic", responseTopic),
    h("div", { class: "pair" }, h("label", {}, "Correlation data", correlation), h("label", { class: "narrow" }, "Form", correlationForm)),
    h("label", { class: "short" }, "Message expiry in seconds", expiry),
    h("h3", {}, "User properties"), rows,
    h("div", { class: "pair wrap" }, add, button("Clear all properties", () => {
      fill({ contentType: "", utf8: false, responseTopic: "", correlation: "", correlationHex: false, messageExpiry: null, userProperties: [] });
    }))));

  const read = () => {
    if (!expiry.validity.valid) throw new TypeError("message expiry must be an integer from 0 to 4,294,967,295 seconds");
    const pairs = [...rows.children].map((element) => /** @type {[string, string]} */ ([...element.querySelectorAll("input")].map(({ value }) => value)));
    return {
      contentType: contentType.value, utf8: utf8.checked, responseTopic: responseTopic.value, correlation: correlation.value, correlationHex: correlationForm.value === "hex",
      messageExpiry: expiry.value === "" ? null : Number(expiry.value),
      userProperties: pairs.filter(([name, value]) => name || value),
    };
  };
  const showBadge = () => {
    let count = 0;
    try {
      count = countProperties(/** @type {any} */ (read()));
    } catch {} // the result line shows the error when the message is published
    badge.textContent = count ? `${count} set` : "";
  };
  const fill = (draft) => {
    contentType.value = draft.contentType;
    utf8.checked = draft.utf8;
    responseTopic.value = draft.responseTopic;
    correlation.value = draft.correlation;
    correlationForm.value = draft.correlationHex ? "hex" : "text";
    expiry.value = draft.messageExpiry ?? "";
    rows.replaceChildren(...draft.userProperties.map(([name, value]) => row(name, value)));
    showBadge();
  };
  root.addEventListener("input", showBadge);
  return { read, fill };
}

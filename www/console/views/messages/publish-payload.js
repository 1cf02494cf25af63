import { sizeOf } from "../../core/payload.js";
import { bytesIn, payloadOf } from "../../core/publish/draft.js";
import { formatJson, jsonProblem } from "../../core/publish/json.js";
import { TEMPLATES, expand, templatesIn } from "../../core/publish/template.js";
import { $, button, h } from "../../ui/dom.js";

// Above this length a text is not checked as JSON while the user types, and the preview shows only a part.
const MAX_CHECKED = 1 << 20;
const MAX_PREVIEW = 2000;
const PREVIEW_MS = 1000;

/**
 * The payload of the form: its format, the check of JSON, templates with a preview, and files.
 * @param {any} form
 * @param {import("../../core/publish/publish.js").Publisher} publisher
 * @param {import("../../core/connection.js").Connection} connection
 */
export function mountPayload(form, publisher, connection) {
  const { topic, payload, format } = form.elements;
  const check = $("payload-check"), preview = $("payload-preview"), formatButton = $("json-format"), help = $("templates"), helpButton = $("templates-show");
  /** @type {{ bytes: Uint8Array, fileName: string } | undefined} */
  let file;
  let typeOfFile = ""; // the content type that the file has set

  // Templates.
  const templates = h("input", { type: "checkbox", name: "templates", checked: true });
  const insert = (text) => {
    if (payload.hidden) return;
    payload.setRangeText(text, payload.selectionStart, payload.selectionEnd, "end");
    payload.focus();
    update();
  };
  help.append(
    h("dl", {}, Object.values(TEMPLATES).filter(({ responder }) => !responder).flatMap(({ example, text }) =>
      [h("dt", {}, button(example, () => insert(example), { class: "mono", title: "Insert into the payload" })), h("dd", {}, text)])),
    h("p", {}, "Topic and payload may have templates. {{n}} counts the messages; each repetition counts from 1."),
    h("label", { class: "check" }, templates, "Replace templates"));
  helpButton.addEventListener("click", () => {
    help.hidden = !help.hidden;
    helpButton.setAttribute("aria-expanded", String(!help.hidden));
  });

  /** @returns {Pick<import("../../core/publish/draft.js").Draft, "format" | "payload" | "templates" | "bytes" | "fileName">} */
  const read = () => (format.value === "file"
    ? { format: "file", payload: "", templates: templates.checked, ...file }
    : { format: format.value, payload: payload.value, templates: templates.checked });

  const showPreview = () => {
    const draft = read(), textual = draft.format === "text" || draft.format === "json";
    const inTopic = templatesIn(topic.value), inPayload = textual ? templatesIn(draft.payload.slice(0, MAX_CHECKED)) : { used: [], unknown: [] };
    const used = [...inTopic.used, ...inPayload.used], unknown = [...inTopic.unknown, ...inPayload.unknown];
    preview.hidden = !draft.templates || used.length + unknown.length === 0;
    if (preview.hidden) return;
    const context = publisher.context;
    preview.replaceChildren(
      ...(used.length ? [h("span", { class: "dim" }, "Preview")] : []),
      ...(inTopic.used.length ? [h("p", { class: "mono" }, expand(topic.value, context))] : []),
      ...(inPayload.used.length ? [h("pre", { tabIndex: 0, role: "region", "aria-label": "Preview of the payload" }, expand(draft.payload.slice(0, MAX_PREVIEW), context))] : []),
      ...(unknown.length ? [h("p", { class: "warn" }, `${[...new Set(unknown)].slice(0, 3).join(", ")} is no template, and stays as it is.`)] : []));
  };

  const showCheck = () => {
    const draft = /** @type {import("../../core/publish/draft.js").Draft} */ (read());
    let text = "", wrong = false, jump;
    try {
      const size = bytesIn(payloadOf(draft, publisher.context)), most = publisher.maxPayload;
      text = sizeOf(size);
      if (size > most) [text, wrong] = [`${text}: the ${connection.client.connection ? "broker" : "page"} accepts at most ${sizeOf(most)}.`, true];
    } catch (error) {
      [text, wrong] = [draft.format === "file" ? "No file is chosen." : `Not ${draft.format}: ${error.message}.`, draft.format !== "file"];
    }
    if (draft.format === "json" && draft.payload.length <= MAX_CHECKED) {
      const problem = jsonProblem(draft.payload, draft.templates);
      if (problem) {
        text = `Line ${problem.line}, column ${problem.column}: ${problem.message}. `;
        wrong = true;
        jump = button("Go there", () => {
          payload.focus();
          payload.setSelectionRange(problem.at, Math.min(problem.at + 1, payload.value.length));
        });
      } else text = `Valid JSON · ${text}`;
      formatButton.disabled = Boolean(problem);
    }
    check.replaceChildren(text, ...(jump ? [jump] : []));
    check.classList.toggle("bad", wrong);
    payload.setAttribute("aria-invalid", String(wrong && draft.format !== "file"));
  };

  const update = () => {
    const isFile = format.value === "file";
    payload.hidden = isFile;
    $("payload-file").hidden = !isFile;
    formatButton.hidden = format.value !== "json";
    showCheck();
    showPreview();
  };

  formatButton.addEventListener("click", () => {
    if (jsonProblem(payload.value, templates.checked)) return;
    payload.value = formatJson(payload.value, templates.checked);
    update();
  });

  // Files.
  const chooser = h("input", { type: "file", hidden: true, id: "payload-chooser", onchange: () => chooser.files.length && take(chooser.files[0]) });
  const showFile = () => {
    $("payload-file").replaceChildren(
      h("p", {}, file ? h("span", { class: "mono" }, file.fileName) : "Drop a file here, or choose one."),
      h("div", { class: "pair" }, button(file ? "Choose another file" : "Choose a file", () => chooser.click()), file && button("Remove", () => {
        file = undefined;
        showFile();
        update();
      })), chooser);
  };
  const take = async (/** @type {File} */ chosen) => {
    try {
      const most = publisher.maxPayload;
      if (chosen.size > most) throw new RangeError(`${chosen.name} has ${sizeOf(chosen.size)}, and the ${connection.client.connection ? "broker" : "page"} accepts at most ${sizeOf(most)}`);
      file = { bytes: new Uint8Array(await chosen.arrayBuffer()), fileName: chosen.name };
      format.value = "file";
      const { contentType } = form.elements;
      if (!contentType.value || contentType.value === typeOfFile) {
        contentType.value = typeOfFile = chosen.type;
        contentType.dispatchEvent(new Event("input", { bubbles: true }));
      }
    } catch (error) {
      publisher.fail(topic.value, error);
    }
    chooser.value = ""; // the same file can be chosen again
    showFile();
    update();
  };
  const hasFile = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  form.addEventListener("dragover", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    form.classList.add("over");
  });
  form.addEventListener("dragleave", (event) => !form.contains(event.relatedTarget) && form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    form.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  payload.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    take(event.clipboardData.files[0]);
  });

  for (const field of [topic, payload, format, templates]) field.addEventListener("input", update);
  publisher.changed.on(showPreview); // the counter has changed
  connection.changed.on(showCheck); // the bound has changed
  setInterval(() => !preview.hidden && !document.hidden && showPreview(), PREVIEW_MS);
  showFile();
  update();
  return {
    read,
    fill(draft) {
      file = draft.bytes && { bytes: draft.bytes, fileName: draft.fileName };
      format.value = draft.format;
      payload.value = draft.payload;
      templates.checked = draft.templates;
      showFile();
      update();
    },
    focus: () => payload.focus(),
  };
}

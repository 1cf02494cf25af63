import { progressOf } from "../../core/things/job-document.js";
import { button, h } from "../../ui/dom.js";

const STATUS = { QUEUED: "queued", IN_PROGRESS: "in progress", SUCCEEDED: "succeeded", FAILED: "failed", REJECTED: "rejected", TIMED_OUT: "timed out", REMOVED: "removed", CANCELED: "canceled" };

const timeOf = (seconds) => (seconds ? new Date(seconds * 1000).toLocaleString() : undefined);

/** Returns an element for a status. */
export const badge = (status) => h("span", { class: "badge", dataset: { status } }, STATUS[status] ?? status);

/** Returns rows of a description list. */
const rows = (entries) => entries.filter(([, value]) => value !== undefined && value !== "").flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]);

/** A pending execution, with a form that changes its status, its progress and its details. */
export class ExecutionCard {
  #execution;
  #act;
  #synced = undefined; // the version whose details the form shows, until the user sends it
  #dirty = false;
  #status = h("span");
  #progress = h("progress", { max: 100 });
  #percent = h("output");
  #facts = h("dl");
  #document = h("pre", { tabIndex: 0 });
  #pairs = h("ul", { class: "pairs" });
  #conflict = h("div", { class: "conflict", role: "alert", hidden: true });
  #next = h("span", { class: "small" });

  /**
   * @param {import("../../core/things/jobs-model.js").Execution} execution
   * @param {(jobId: string, status: import("../../../jobs.js").JobUpdateStatus, options: object, button?: HTMLButtonElement) => Promise<any>} act resolves with the error of the update, or undefined
   */
  constructor(execution, act) {
    this.#act = act;
    const { jobId } = execution;
    this.#progress.setAttribute("aria-label", `Progress of ${jobId}`);
    this.number = h("input", { type: "number", min: 0, max: 100, step: 1, name: "progress" });
    this.reason = h("input", { name: "reason", placeholder: "why it failed or is rejected" });
    this.save = h("button", { class: "primary" }, "Save");
    const finish = (text, status) => button(text, ({ currentTarget }) => this.#send(status, currentTarget), { dataset: { status } });
    this.form = h("form", {
      autocomplete: "off", "aria-label": `Status of ${jobId}`,
      oninput: () => (this.#dirty = true),
      onsubmit: (event) => (event.preventDefault(), this.#send("IN_PROGRESS", this.save)),
    },
    h("div", { class: "row" }, h("label", {}, "Progress in %", this.number), h("label", { class: "grow" }, "Reason", this.reason)),
    h("div", { role: "group", "aria-label": "Status details" }, this.#pairs, button("Add a detail", () => (this.#dirty = true, this.#addPair("", "").querySelector("input").focus()))),
    this.#conflict,
    h("div", { class: "row" }, this.save, h("span", { class: "grow" }), finish("Succeed", "SUCCEEDED"), finish("Fail", "FAILED"), finish("Reject", "REJECTED")));
    this.element = h("li", { class: "execution", dataset: { job: jobId } },
      h("div", { class: "row head" }, h("h3", {}, jobId), this.#status, this.#next, h("span", { class: "grow" })),
      h("p", { class: "bar" }, this.#progress, this.#percent), this.#facts,
      h("details", {}, h("summary", {}, "Job document"), this.#document), this.form);
    this.update(execution, false);
  }

  /** @param {import("../../core/things/jobs-model.js").Execution} execution @param {boolean} next whether it is the next one for the device */
  update(execution, next) {
    this.#execution = execution;
    const { status, statusDetails, versionNumber, executionNumber, queuedAt, startedAt, lastUpdatedAt, jobDocument } = execution;
    if (this.#status.dataset.status !== status) {
      const element = badge(status);
      this.#status.replaceWith(element);
      this.#status = element;
    }
    this.#next.textContent = next ? "next for the device" : "";
    const progress = progressOf(statusDetails);
    this.#progress.value = progress ?? 0;
    this.#percent.textContent = progress === undefined ? "" : `${progress} %${statusDetails.step ? `, ${statusDetails.step}` : ""}`;
    this.#facts.replaceChildren(...rows([["Queued", timeOf(queuedAt)], ["Started", timeOf(startedAt)], ["Updated", timeOf(lastUpdatedAt)], ["Version", versionNumber], ["Execution", executionNumber]]));
    const text = jobDocument === undefined ? "The document is read when the execution is one of the first ten." : JSON.stringify(jobDocument, undefined, 2);
    if (this.#document.textContent !== text) this.#document.textContent = text;
    this.save.textContent = status === "QUEUED" ? "Start" : "Save";
    const editing = this.#dirty || (this.form.contains(document.activeElement) && document.activeElement.matches("input"));
    if (!editing && this.#synced !== versionNumber) this.#sync();
  }

  /** Shows the stored details in the form. */
  #sync() {
    const { statusDetails = {}, versionNumber } = this.#execution;
    const { progress, reason = "", ...others } = statusDetails;
    this.#synced = versionNumber;
    this.#dirty = false;
    this.#conflict.hidden = true;
    this.number.value = progressOf(statusDetails) ?? "";
    this.reason.value = reason;
    this.#pairs.replaceChildren();
    for (const [name, value] of Object.entries(others)) this.#addPair(name, value);
  }

  #addPair(name, value) {
    const pair = h("li", { class: "row" },
      h("input", { value: name, required: true, spellcheck: false, placeholder: "name", "aria-label": "Name of a detail" }),
      h("input", { value, spellcheck: false, placeholder: "value", "aria-label": `Value of ${name || "the new detail"}` }),
      button("×", () => (this.#dirty = true, pair.remove()), { class: "icon", "aria-label": `Remove ${name || "the new detail"}` }));
    this.#pairs.append(pair);
    return pair;
  }

  /** Sends the form. With force, the version is not checked. */
  async #send(status, from, force = false) {
    if (!this.form.reportValidity()) return;
    const statusDetails = Object.fromEntries([...this.#pairs.children].map((pair) => [...pair.querySelectorAll("input")].map((input) => input.value)));
    if (this.number.value !== "") statusDetails.progress = this.number.value;
    if (status === "SUCCEEDED") statusDetails.progress = "100";
    if (this.reason.value && status !== "SUCCEEDED") statusDetails.reason = this.reason.value;
    const { jobId } = this.#execution;
    const error = await this.#act(jobId, status, { statusDetails, expectedVersion: force ? undefined : this.#synced }, from);
    if (!error) {
      this.#dirty = false;
      this.#conflict.hidden = true;
      this.#synced = this.#execution.versionNumber;
    } else if (error.code === "ERR_JOBS_VERSION") {
      this.#showConflict(status);
    }
  }

  #showConflict(status) {
    const apply = button("Apply mine anyway", ({ currentTarget }) => this.#send(status, currentTarget, true));
    this.#conflict.replaceChildren(
      h("p", {}, `Another client has changed the execution: you began with version ${this.#synced}, and it has version ${this.#execution.versionNumber} now. Your change was not applied.`),
      h("div", { class: "row" }, apply, button("Show the stored details", () => (this.#sync(), this.save.focus()))));
    this.#conflict.hidden = false;
    apply.focus();
  }
}

/** Returns a row of the list of executions that have ended. @param {import("../../core/things/jobs-model.js").Execution} execution */
export function endedRow({ jobId, status, statusDetails, ended, elsewhere }) {
  return h("li", {}, h("strong", {}, jobId), " ", elsewhere ? h("span", { class: "badge" }, "ended elsewhere") : badge(status), " ",
    h("time", { class: "dim small" }, new Date(ended).toLocaleTimeString()), " ",
    h("span", { class: "small" }, elsewhere ? `It has finished or was canceled. Its last known status is ${STATUS[status]}.` : statusDetails?.reason ?? ""));
}

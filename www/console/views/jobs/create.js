import { canCreate, createCommand, createJob } from "../../core/things/create-job.js";
import { EXAMPLES, MAX_DOCUMENT, parseDocument } from "../../core/things/job-document.js";
import { CodeBlock } from "../../ui/code-block.js";
import { h } from "../../ui/dom.js";
import { JsonField } from "../../ui/json-field.js";

/**
 * The form that creates a job.
 * @param {import("../../main.js").App} app
 * @param {(things: string[]) => void} created
 */
export function createForm({ connection, run }, created) {
  const targets = h("input", { name: "targets", required: true, spellcheck: false, placeholder: "thing-1, thing-2", pattern: "\\s*[a-zA-Z0-9:_\\-]{1,128}(\\s*,\\s*[a-zA-Z0-9:_\\-]{1,128})*\\s*", title: "Names of things, with commas between them" });
  const jobId = h("input", { name: "jobId", spellcheck: false, placeholder: "chosen for you", pattern: "[a-zA-Z0-9_\\-]{1,64}", title: "1 to 64 letters, digits, _ -" });
  const account = h("input", { name: "account", value: "123456789012", pattern: "[0-9]{12}", inputMode: "numeric", title: "The 12 digits of your AWS account" });
  const example = h("select", { name: "example", onchange: () => (field.show(EXAMPLES[example.value]), showCommand()) }, Object.keys(EXAMPLES).map((title) => h("option", {}, title)));
  const field = new JsonField({ label: "Job document", parse: parseDocument, maxBytes: MAX_DOCUMENT, rows: 12 });
  field.input.name = "document";
  const submit = h("button", { class: "primary", title: "Create the job (Ctrl+Enter)" }, "Create job");
  const result = h("p", { class: "small", role: "status", id: "job-created" });
  const command = new CodeBlock("AWS CLI");
  const why = h("p", { class: "small" }, "A page cannot create jobs in AWS: the control plane of AWS IoT has no CORS headers. Run this command, or call CreateJob in your backend. The things must exist: ", h("code", {}, "aws iot create-thing --thing-name …"));
  const cli = h("details", {}, h("summary", {}, "Create it with the AWS CLI"), why, h("label", {}, "AWS account", account), command.element);

  const read = () => ({ targets: targets.value.split(",").map((thing) => thing.trim()).filter(Boolean), jobId: jobId.value, document: field.value });

  function showCommand() {
    if (field.value !== undefined) command.text = createCommand(read(), account.value, connection);
  }

  const form = h("form", {
    id: "job-create", autocomplete: "off",
    oninput: showCommand,
    onsubmit: (event) => {
      event.preventDefault();
      if (field.value === undefined) return field.input.focus();
      result.textContent = "";
      if (!canCreate(connection)) return (cli.open = true);
      run(async () => {
        const job = read(), id = await createJob(job);
        result.textContent = `Created ${id}.`;
        jobId.value = "";
        created(job.targets);
        showCommand();
      }, submit);
    },
  },
  h("div", { class: "row" }, h("label", { class: "grow" }, "Things", targets), h("label", { class: "grow" }, "Job id", jobId)),
  h("label", {}, "Example", example), field.element,
  h("div", { class: "row head" }, submit, result), cli);

  field.show(EXAMPLES[example.value]);
  return {
    element: h("section", { class: "card", "aria-labelledby": "job-create-title" }, h("h2", { id: "job-create-title" }, "Create a job"), form),
    /** Sets the thing for which the form creates the next job. */
    set thing(thing) {
      targets.value = thing;
      showCommand();
    },
    /** Shows whether the page can create jobs with the current profile. */
    update() {
      const can = canCreate(connection);
      submit.hidden = !can;
      if (!can) cli.open = true;
      showCommand();
    },
  };
}

import { oncePerFrame } from "../../core/emitter.js";
import { JobsModel, MAX_ENDED } from "../../core/things/jobs-model.js";
import { permissionsText } from "../../core/permissions.js";
import { Recent } from "../../core/things/recent.js";
import { cliOptions, shellWord } from "../../core/code/shell.js";
import { SimulatedDevice } from "../../core/things/simulated-device.js";
import { CodeBlock } from "../../ui/code-block.js";
import { button, h } from "../../ui/dom.js";
import { recentsOf } from "../../ui/recents.js";
import { stylesheet } from "../../ui/stylesheet.js";
import { createForm } from "./create.js";
import { endedRow, ExecutionCard } from "./execution.js";

const POLL_MS = 5000; // how often the view reads the progress that another device reports

/**
 * The view of the jobs of a thing. The fragment of the URL names the thing: #/jobs/<thing>.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export async function mount(root, app) {
  await stylesheet("things");
  const { connection, run } = app;
  const recent = new Recent("things");
  /** @type {JobsModel | undefined} */
  let model;
  /** @type {SimulatedDevice | undefined} */
  let device;
  let cards = new Map(); // the key of an execution → its card
  let rows = new Map(); // an execution that has ended → its row
  let endpoint = "", poll;

  // ---- the elements

  const thing = h("input", { name: "thing", required: true, pattern: "[a-zA-Z0-9:_\\-]{1,128}", spellcheck: false, title: "1 to 128 letters, digits, : _ -" });
  const recents = recentsOf(recent, (name) => name, (name) => open(name));
  const form = h("form", { id: "jobs-form", autocomplete: "off", onsubmit: (event) => (event.preventDefault(), open(thing.value)) },
    h("div", { class: "row" }, h("label", { class: "grow" }, "Thing", thing), h("button", { class: "primary" }, "Open")));
  const problem = h("p", { id: "jobs-problem", class: "bad", role: "alert", hidden: true });
  const simulate = h("input", { type: "checkbox", role: "switch", id: "jobs-simulate", onchange: () => (simulate.checked ? device.start() : device.stop()) });
  const doing = h("p", { class: "small", id: "jobs-device", role: "status" });
  const status = h("p", { id: "jobs-status", role: "status" });
  const start = button("Start next", ({ currentTarget }) => run(async () => {
    showCode("start");
    await model.startNext();
  }, currentTarget), { id: "jobs-start" });
  const list = h("ul", { id: "jobs-pending", "aria-label": "Executions that are not finished" });
  const none = h("p", { class: "dim" }, "No job is waiting for this thing. Create one.");
  const ended = h("ol", { id: "jobs-ended", "aria-label": "Executions that have ended, newest first" });
  const endedCard = h("section", { class: "card", "aria-labelledby": "jobs-ended-title" },
    h("h2", { id: "jobs-ended-title" }, "Ended"), h("p", { class: "small" }, `The last ${MAX_ENDED} executions that have ended while this page showed the thing.`), ended);
  const create = createForm(app, (things) => {
    if (!things.includes(model?.thing)) open(things[0]);
    else model.refresh();
    showCode("follow");
  });
  const script = new CodeBlock("JavaScript"), cli = new CodeBlock("AWS CLI");
  const code = h("section", { class: "card", "aria-labelledby": "jobs-code-title" }, h("h2", { id: "jobs-code-title" }, "Code of the last action"),
    h("div", { class: "codes" }, script.element, cli.element));
  const executions = h("section", { class: "card", "aria-labelledby": "jobs-pending-title" },
    h("div", { class: "row head" }, h("h2", { id: "jobs-pending-title", class: "grow" }, "Executions"),
      start, button("Refresh", ({ currentTarget }) => run(() => model.refresh(), currentTarget))),
    h("label", { class: "check", title: "This page plays the device: it goes through the steps of each job document" }, simulate, "Simulated device"), doing, status, none, list);
  root.append(
    h("section", { class: "card", "aria-labelledby": "jobs-title" }, h("h2", { id: "jobs-title" }, "Jobs of a thing"),
      h("p", { class: "small" }, "A job is an operation that devices carry out, such as an update. Create a job, switch the simulated device on, and see the job from its creation to its success."),
      form, recents.element, problem),
    h("div", { class: "jobs-columns" }, create.element, h("div", { class: "column" }, executions, endedCard)), code);

  // ---- what they do

  function open(name) {
    let next;
    app.showError();
    try {
      next = new JobsModel(connection.client, name);
    } catch (error) {
      return app.showError(error);
    }
    device?.close();
    model?.close();
    model = next;
    device = new SimulatedDevice(model);
    endpoint = connection.host;
    device.changed.on(() => (doing.textContent = device.text));
    if (simulate.checked) device.start();
    thing.value = create.thing = name;
    cards = new Map();
    list.replaceChildren();
    model.changed.on(oncePerFrame(() => model === next && show()));
    recent.add(name);
    recents.show();
    setAddress();
    showCode("follow");
    show();
  }

  /** Updates an execution. Resolves with the error, which is shown unless the card shows it. */
  async function act(jobId, status, options, from) {
    let failed;
    showCode("update", { jobId, status, options });
    await run(async () => {
      try {
        await model.update(jobId, status, options);
      } catch (error) {
        failed = error;
        await model.describe(jobId).catch(() => model.refresh());
        if (error.code !== "ERR_JOBS_VERSION") throw error;
      }
    }, from);
    return failed;
  }

  // ---- what they show

  function show() {
    const { pending, error, loaded } = model;
    problem.hidden = !error;
    problem.textContent = error ? `${error.code}: ${error.message}. ${permissionsText(model.thing, "jobs")}` : "";
    const count = (state) => pending.filter((execution) => execution.status === state).length;
    const text = loaded ? `${count("IN_PROGRESS")} in progress, ${count("QUEUED")} queued` : error ? "The executions could not be read." : connection.client.state === "connected" ? "Loading …" : "Waiting for the connection …";
    if (status.textContent !== text) status.textContent = text;
    none.hidden = !loaded || pending.length > 0;
    start.disabled = pending.length === 0;

    const before = cards;
    cards = new Map();
    pending.forEach((execution, i) => {
      const key = `${execution.jobId}/${execution.executionNumber}`;
      const card = before.get(key) ?? new ExecutionCard(execution, act);
      card.update(execution, execution.jobId === model.next);
      cards.set(key, card);
      if (list.children[i] !== card.element) list.insertBefore(card.element, list.children[i] ?? null);
    });
    for (const [key, { element }] of before) {
      if (cards.has(key)) continue;
      const focused = element.contains(document.activeElement);
      element.remove();
      if (focused) simulate.focus();
    }

    endedCard.hidden = model.ended.length === 0;
    const old = rows;
    rows = new Map(model.ended.map((execution) => [execution, old.get(execution) ?? endedRow(execution)]));
    ended.replaceChildren(...rows.values());
  }

  function showCode(action, { jobId, status, options } = {}) {
    const lines = ['import iot from "./iot.js";', 'import { jobs } from "./jobs.js";', "", `const thing = jobs(iot, ${JSON.stringify(model.thing)});`];
    if (action === "follow") lines.push("for await (const { jobId, jobDocument } of thing.next()) {", '  await thing.update(jobId, "IN_PROGRESS");', "  console.log(jobDocument); // do the job", '  await thing.update(jobId, "SUCCEEDED");', "}");
    if (action === "start") lines.push("const execution = await thing.startNext();");
    if (action === "update") lines.push(`await thing.update(${JSON.stringify(jobId)}, "${status}", ${JSON.stringify(options, undefined, 2)});`);
    script.text = lines.join("\n");
    const name = `--thing-name ${model.thing}`, server = cliOptions(connection);
    const details = options?.statusDetails && `--status-details ${shellWord(JSON.stringify(options.statusDetails))}`;
    const command = {
      follow: ["aws iot-jobs-data get-pending-job-executions", name, server],
      start: ["aws iot-jobs-data start-next-pending-job-execution", name, server],
      update: [`aws iot-jobs-data update-job-execution --job-id ${jobId} --status ${status}`, name, server, details, options?.expectedVersion !== undefined && `--expected-version ${options.expectedVersion}`],
    }[action];
    cli.text = command.filter(Boolean).join(" \\\n  ");
  }

  // ---- the address, and the connection

  /** Returns the thing that the URL names, or undefined. */
  function addressed() {
    const [view, name] = location.hash.replace(/^#\/?/, "").split("/");
    return view === "jobs" && /^[\w:-]{1,128}$/.test(name) ? name : undefined;
  }

  function setAddress() {
    const path = `#/jobs/${model.thing}`;
    if (/^#\/?jobs\b/.test(location.hash) && location.hash !== path) window.history.replaceState(window.history.state, "", path);
  }

  function follow() {
    const name = addressed();
    if (name && name !== model.thing) open(name);
    else setAddress();
  }

  addEventListener("hashchange", follow);
  connection.client.addEventListener("connected", () => {
    const moved = endpoint && endpoint !== connection.host;
    endpoint = connection.host;
    create.update();
    if (moved) open(model.thing); // the thing of another account or server is another one
  });
  connection.changed.on(() => !model.loaded && show());
  app.commands.add({ id: "open-jobs", title: "Open the jobs of a thing", run: () => (app.show("jobs"), thing.focus()) });

  open(addressed() ?? recent.list[0] ?? "my-thing");
  create.update();
  return {
    show() {
      follow();
      // AWS IoT reports the progress to no other client. A simulated device of this page reports it to the model.
      clearInterval(poll);
      poll = setInterval(() => {
        if (document.hidden || device.running || connection.client.state !== "connected") return;
        for (const { jobId, status } of model.pending) if (status === "IN_PROGRESS") model.describe(jobId).catch(() => model.refresh());
      }, POLL_MS);
    },
    hide: () => clearInterval(poll),
  };
}

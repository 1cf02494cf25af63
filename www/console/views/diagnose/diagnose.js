import { diagnose, diagnoseSteps } from "../../../diagnose.js";
import { optionsOf } from "../../core/profiles/options.js";
import { kept } from "../../core/storage.js";
import { button, copy, h } from "../../ui/dom.js";

/** The titles of the steps. */
const TITLES = {
  load: "WebAssembly", endpoint: "Endpoint", clock: "Clock", credentials: "Credentials", signature: "WebSocket and signature", connect: "Connect",
  subscribe: "Subscribe", publish: "Publish", receive: "Receive", retain: "Retained messages", roundtrip: "Round trip",
};
/** The marks of the statuses. The text beside a mark names the status. */
const MARKS = { ok: "✓", warning: "!", failed: "✕", skipped: "–", running: "…", "not run": "" };

/**
 * The view "diagnose": it runs diagnose.js with the options of a profile, first that of the connection, and shows each step
 * as it ends. The command "diagnose" shows the view and diagnoses the profile of the connection.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mount(root, app) {
  /** The running diagnosis. @type {AbortController | undefined} */
  let stop;
  /** @type {import("../../../diagnose.js").DiagnoseResult[]} */
  let results = [];

  const profile = h("select", { name: "profile" });
  const topic = h("input", { name: "topic", placeholder: "iot/diagnose/", spellcheck: false, value: kept.get("diagnose.topic", ""), "aria-describedby": "diagnose-topic" });
  const account = h("input", { name: "account", placeholder: "123456789012", spellcheck: false, inputMode: "numeric", value: kept.get("diagnose.account", "") });
  const toggle = h("button", { class: "primary", id: "diagnose-run" }, "Run");
  const report = button("Copy the report", () => copy(report, reportOf(results)), { disabled: true, id: "diagnose-report" });
  const progress = h("p", { role: "status", id: "diagnose-progress" });
  const steps = diagnoseSteps.map((step) => h("li", {}));
  const list = h("ol", { id: "diagnose-steps", "aria-label": "Steps of the diagnosis" }, steps);

  root.append(h("section", { class: "card", "aria-labelledby": "diagnose-title" },
    h("h2", { id: "diagnose-title" }, "Why does it not work?"),
    h("p", { class: "small" }, "The diagnosis tests each step with a client of its own. It does not disturb the connection of this page, and leaves nothing behind."),
    h("form", { id: "diagnose-form", autocomplete: "off", onsubmit: (event) => {
      event.preventDefault();
      if (stop) stop.abort();
      else run();
    } },
    h("div", { class: "row" },
      h("label", {}, "Profile", profile),
      h("label", { class: "grow" }, "Topic", topic),
      h("label", { class: "grow" }, "AWS account", account),
      toggle, report),
    h("p", { id: "diagnose-topic", class: "small" }, "Test a topic that your page uses, like ", h("code", {}, "room/1"), ". With a slash at the end, the diagnosis uses a topic of its own below it. The account is for the policy statements.")),
    progress, list));

  /** Shows a step. @param {number} at @param {any} [result] a result, or { status } */
  const show = (at, result) => {
    const { status = "not run", text, advice, policy, code, durationMs } = result ?? {};
    const item = steps[at];
    item.dataset.status = status;
    item.replaceChildren(
      h("span", { class: "mark", "aria-hidden": "true" }, MARKS[status]),
      h("div", { class: "finding" },
        h("p", { class: "title" }, h("strong", {}, TITLES[diagnoseSteps[at]]), " ", h("span", { class: "status" }, status), " ",
          h("span", { class: "small" }, [code, durationMs !== undefined && status !== "skipped" && `${durationMs} ms`].filter(Boolean).join(" · "))),
        text && h("p", {}, text),
        advice && h("p", { class: "advice" }, h("strong", {}, "What to change: "), advice),
        policy && statement(policy)));
  };

  /** Returns the element of a policy statement, with a button that copies it. @param {string} policy */
  const statement = (policy) => {
    const text = h("pre", { tabIndex: 0, role: "group", "aria-label": "Policy statement" }, policy);
    const copyButton = button("Copy", () => copy(copyButton, policy, text), { title: "Copy the policy statement" });
    return h("div", { class: "statement" }, copyButton, text);
  };

  const clear = () => steps.forEach((_, at) => show(at));

  async function run() {
    kept.set("diagnose.topic", topic.value || undefined);
    kept.set("diagnose.account", account.value || undefined);
    const { signal } = (stop = new AbortController());
    results = [];
    toggle.textContent = "Stop";
    report.disabled = true;
    clear();
    app.showError();
    const begin = (at) => {
      if (at === steps.length) return;
      show(at, { status: "running" });
      progress.textContent = `Step ${at + 1} of ${steps.length}: ${TITLES[diagnoseSteps[at]]}`;
    };
    try {
      begin(0);
      const options = await optionsOf(app.profiles.valuesOf(app.profiles.get(profile.value) ?? app.connection.profile));
      for await (const result of diagnose(options, { topic: topic.value || undefined, account: account.value || undefined, signal })) {
        show(results.length, result);
        begin(results.push(result));
      }
      progress.textContent = summaryOf(results);
    } catch (error) {
      show(results.length);
      progress.textContent = signal.aborted ? "Stopped." : "The diagnosis ended with an error.";
      if (!signal.aborted) app.showError(error);
    }
    stop = undefined;
    toggle.textContent = "Run";
    report.disabled = results.length === 0;
  }

  /** Fills the list of profiles, and selects one. */
  const showProfiles = (id = profile.value) => {
    profile.replaceChildren(...app.profiles.list.map(({ id, name }) => h("option", { value: id }, name)));
    profile.value = app.profiles.get(id) ? id : app.connection.profile.id;
  };
  app.profiles.changed.on(() => showProfiles());
  showProfiles(app.connection.profile.id);
  clear();
  app.commands.add({ id: "diagnose", title: "Diagnose the connection", run: () => {
    app.show("diagnose");
    if (stop) return undefined;
    showProfiles(app.connection.profile.id);
    return run();
  } });
  return {
    show() {
      if (!app.diagnoseRequested) return;
      app.diagnoseRequested = false;
      if (!stop) run();
    },
  };
}

/** Returns one sentence about all results. @param {import("../../../diagnose.js").DiagnoseResult[]} results */
function summaryOf(results) {
  const count = (status) => results.filter((r) => r.status === status).length;
  const first = results.find((r) => r.status === "failed");
  const warnings = count("warning") ? ` ${count("warning")} of the steps ${count("warning") > 1 ? "have warnings" : "has a warning"}.` : "";
  const others = count("failed") > 1 ? ` ${count("failed") - 1} more failed.` : "";
  return first ? `The step “${TITLES[first.step]}” failed.${others}${warnings}` : `All steps that apply succeeded.${warnings}`;
}

/** Returns the results as text. They contain no secret. @param {import("../../../diagnose.js").DiagnoseResult[]} results */
function reportOf(results) {
  return results.map(({ step, status, code, text, advice, policy }) =>
    [`${step}: ${status}${code ? ` ${code}` : ""}. ${text}`, advice && `  ${advice}`, policy].filter(Boolean).join("\n")).join("\n");
}

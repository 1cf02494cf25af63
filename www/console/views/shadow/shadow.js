import { oncePerFrame } from "../../core/emitter.js";
import { sizeOf } from "../../core/payload.js";
import { permissionsText } from "../../core/permissions.js";
import { Recent } from "../../core/things/recent.js";
import { ShadowModel } from "../../core/things/shadow-model.js";
import { changesOf, changeText, MAX_STATE, stateSize } from "../../core/things/shadow-state.js";
import { confirm } from "../../ui/confirm.js";
import { button, h } from "../../ui/dom.js";
import { recentsOf } from "../../ui/recents.js";
import { stylesheet } from "../../ui/stylesheet.js";
import { createCode } from "./code.js";
import { createHistory } from "./history.js";
import { createMissing } from "./missing.js";
import { Section } from "./section.js";
import { changeList, StateTree } from "./tree.js";

const titleOf = ({ thing, name }) => (name ? `${thing} / ${name}` : thing);

/**
 * The view of a device shadow. The fragment of the URL names the shadow: #/shadow/<thing> or #/shadow/<thing>/<name>.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export async function mount(root, app) {
  await stylesheet("things");
  const { connection, run } = app;
  const recent = new Recent("shadows");
  /** @type {ShadowModel | undefined} */
  let model;
  let drawn; // the model and the version that the view shows
  let last = { action: "open" };
  let endpoint = "";
  let settle; // resolves the promise of showConflict()

  // ---- the elements

  const thing = h("input", { name: "thing", required: true, pattern: "[a-zA-Z0-9:_\\-]{1,128}", spellcheck: false, title: "1 to 128 letters, digits, : _ -" });
  const name = h("input", { name: "shadow", pattern: "[$a-zA-Z0-9:_\\-]{1,64}", spellcheck: false, placeholder: "classic shadow", title: "1 to 64 letters, digits, $ : _ -" });
  const recents = recentsOf(recent, titleOf, (value) => open(value));
  const status = h("p", { id: "shadow-status", role: "status" });
  const problem = h("p", { id: "shadow-problem", class: "bad", role: "alert", hidden: true });
  const meter = h("meter", { min: 0, max: MAX_STATE, high: MAX_STATE * 0.8, optimum: 0, "aria-label": "Size of the state" });
  const size = h("span", { class: "small", id: "shadow-size" });
  const lock = h("input", { type: "checkbox", checked: true, id: "shadow-lock" });
  const remove = button("Delete …", () => removeShadow(), { id: "shadow-delete" });
  const tools = h("div", { class: "row tools" }, meter, size, h("span", { class: "grow" }),
    h("label", { class: "check", title: "AWS IoT refuses a change if the shadow has changed since you began to edit" }, lock, "Check the version"),
    button("Refresh", ({ currentTarget }) => run(() => model?.load(), currentTarget)), remove);
  const form = h("form", {
    id: "shadow-form", autocomplete: "off",
    onsubmit: (event) => (event.preventDefault(), open({ thing: thing.value, name: name.value })),
  }, h("div", { class: "row" }, h("label", { class: "grow" }, "Thing", thing), h("label", { class: "grow" }, "Shadow name", name), h("button", { class: "primary" }, "Open")));
  const conflict = h("section", { class: "card conflict", id: "shadow-conflict", role: "alert", hidden: true });
  const sections = { reported: new Section("reported", submit), desired: new Section("desired", submit) };
  const delta = new StateTree("delta");
  const report = button("Report it", () => submit({ reported: model.delta }, current()), { id: "shadow-report", title: "Sets these values in reported, as the device does after it has changed its state" });
  const deltaCard = h("section", { class: "card", id: "shadow-delta", "aria-labelledby": "shadow-delta-title" },
    h("div", { class: "row head" }, h("h2", { id: "shadow-delta-title", class: "grow" }, "Delta"), report),
    h("p", { class: "small" }, "The members of desired that differ from reported."), delta.element);
  const states = h("div", { class: "states" }, sections.reported.element, sections.desired.element, deltaCard);
  const missing = createMissing((state) => submit(state, { version: undefined, state: {} }));
  const history = createHistory((patch) => submit({ desired: patch }, current()));
  const code = createCode(app);
  const intro = h("p", { class: "dim" }, "A shadow is the state of a device that AWS IoT keeps, also while the device is offline. Open the shadow of any thing: it need not exist.");
  root.append(h("section", { class: "card", "aria-labelledby": "shadow-title" }, h("h2", { id: "shadow-title" }, "Device shadow"), form, recents.element, status, problem, tools),
    intro, conflict, missing, states, history.element, code.element);

  // ---- what they do

  /** Opens a shadow, and follows it. */
  function open(value, keep = true) {
    hideConflict();
    app.showError();
    let next;
    try {
      next = new ShadowModel(connection.client, value.thing, value.name ?? "");
    } catch (error) {
      return app.showError(error);
    }
    model?.close();
    model = next;
    endpoint = connection.host;
    thing.value = model.thing;
    name.value = model.name;
    last = { action: "open" };
    const draw = oncePerFrame(() => model === next && show());
    model.changed.on(draw);
    if (keep) {
      recent.add({ thing: model.thing, name: model.name });
      recents.show();
    }
    setAddress();
    show();
  }

  /** Returns the version and the sections of the shadow, for submit(). */
  const current = () => ({ version: model?.version, state: { desired: model?.desired, reported: model?.reported } });

  /**
   * Sends an update. Shows a conflict of versions with what the user can do.
   * @param {object} state
   * @param {{ version: number | undefined, state: any }} began the shadow when the user began to edit
   * @returns {Promise<boolean>} whether it was accepted
   */
  async function submit(state, began) {
    const target = model, version = lock.checked ? began.version : undefined;
    if (!target) return false;
    app.showError();
    last = { action: "update", state, version };
    code.update(target, last);
    try {
      await target.update(state, version);
    } catch (error) {
      if (error.code === "ERR_SHADOW_VERSION" && target === model) return showConflict(state, began);
      app.showError(error);
      return false;
    }
    hideConflict();
    return true;
  }

  /** Resolves when the user has decided: with true if the update was accepted after all. @returns {Promise<boolean>} */
  function showConflict(state, began) {
    hideConflict();
    let resolve;
    const promise = new Promise((r) => (settle = resolve = r));
    const apply = button("Apply my change to the newest version", ({ currentTarget }) => run(async () => {
      await model.load();
      settle = undefined; // the next attempt decides
      resolve(submit(state, current()));
    }, currentTarget), { class: "primary" });
    const changes = h("div");
    const text = h("p");
    const update = () => {
      text.textContent = `You began with version ${began.version}. The shadow has version ${model.version ?? "none"} now, so AWS IoT has refused the change.`;
      changes.replaceChildren(changeList(changesOf(began.state, { desired: model.desired, reported: model.reported })));
    };
    conflict.replaceChildren(h("h2", {}, "Version conflict"), text, h("h3", {}, "Changed meanwhile"), changes,
      h("h3", {}, "Your change, not applied"), h("pre", {}, JSON.stringify(state, undefined, 2)),
      h("div", { class: "row" }, apply, button("Discard my change", hideConflict)));
    conflict.hidden = false;
    conflict.update = update;
    update();
    apply.focus();
    return promise;
  }

  function hideConflict() {
    if (conflict.contains(document.activeElement)) thing.focus();
    conflict.hidden = true;
    conflict.update = undefined;
    settle?.(false);
    settle = undefined;
  }

  async function removeShadow() {
    const target = model;
    const agreed = await confirm("Delete this shadow?", `AWS IoT forgets the desired and the reported state of ${titleOf(target)}. Devices and applications that follow it are informed.`, "Delete");
    if (!agreed) return;
    last = { action: "delete" };
    code.update(target, last);
    run(() => target.delete(), remove);
  }

  // ---- what they show

  function show() {
    const exists = model?.status === "present";
    intro.hidden = Boolean(model);
    status.hidden = tools.hidden = code.element.hidden = !model;
    history.element.hidden = !model?.history.length;
    states.hidden = !exists;
    missing.hidden = model?.status !== "missing";
    if (!model) return;
    const mark = drawn?.model === model && drawn.version !== undefined && drawn.version !== model.version;
    drawn = { model, version: model.version };
    showStatus();
    problem.hidden = !model.error;
    problem.textContent = model.error ? `${model.error.code}: ${model.error.message}. ${permissionsText(model.thing, "shadow")}` : "";
    remove.disabled = !exists;
    if (exists) {
      for (const section of Object.values(sections)) section.update(model, mark);
      delta.update(model.delta, model.metadata?.desired, mark);
      report.disabled = model.delta === undefined;
    }
    const bytes = stateSize(model);
    meter.value = bytes;
    size.textContent = `${sizeOf(bytes)} of at most ${sizeOf(MAX_STATE)}`;
    history.update(model);
    code.update(model, last);
    conflict.update?.();
  }

  function showStatus() {
    const { status: state, version, timestamp, history: [newest] } = model;
    if (state === "loading") {
      const waiting = connection.client.state !== "connected";
      status.textContent = model.error ? "The shadow could not be read." : waiting ? "Waiting for the connection …" : "Loading …";
    } else if (state === "missing") {
      status.textContent = `${titleOf(model)} has no shadow${newest?.version === undefined && newest ? " any more: it was deleted" : ""}.`;
    } else {
      const time = timestamp && `, changed ${new Date(timestamp * 1000).toLocaleString()}`;
      const changes = newest?.changes.length ? `: ${changeText(newest.changes[0])}${newest.changes.length > 1 ? ` and ${newest.changes.length - 1} more` : ""}` : "";
      status.textContent = `Version ${version}${time ?? ""}${changes}`;
    }
  }

  // ---- the address, and the connection

  /** Returns the shadow that the URL names, or undefined. */
  function addressed() {
    const [view, ...words] = location.hash.replace(/^#\/?/, "").split("/");
    const [thing, name = ""] = words.map(decode);
    return view === "shadow" && thing ? { thing, name } : undefined;
  }

  function setAddress() {
    const path = ["#/shadow", ...[model.thing, model.name].filter(Boolean).map(encodeURIComponent)].join("/");
    if (/^#\/?shadow\b/.test(location.hash) && location.hash !== path) window.history.replaceState(window.history.state, "", path);
  }

  function follow() {
    const value = addressed();
    if (value && (value.thing !== model?.thing || value.name !== model?.name)) open(value);
    else if (model) setAddress();
  }
  addEventListener("hashchange", follow);
  // The shadow of another account or server is another one.
  connection.client.addEventListener("connected", () => {
    const moved = endpoint && endpoint !== connection.host;
    endpoint = connection.host;
    if (model && moved) open(model);
  });
  connection.changed.on(() => model?.status === "loading" && showStatus());
  app.commands.add({ id: "open-shadow", title: "Open a device shadow", run: () => (app.show("shadow"), thing.focus()) });

  thing.value = recent.list[0]?.thing ?? "my-thing";
  name.value = recent.list[0]?.name ?? "";
  const start = addressed() ?? recent.list[0];
  if (start) open(start);
  if (!model) show();
  return { show: follow };
}

/** Decodes a part of a URL. Returns it as it is if it is not valid. */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import { readKeys } from "../../core/profiles/aws-keys.js";
import { ADVANCED, fieldsOf, KINDS } from "../../core/profiles/fields.js";
import { fieldOfError, problemsOf } from "../../core/profiles/options.js";
import { button, h } from "../../ui/dom.js";

/**
 * The form of the selected profile. Each change is stored at once. A stored secret is not shown again.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 * @returns {() => void} moves the focus to the name of the profile
 */
export function mountForm(root, app) {
  const { profiles, connection, commands, run } = app;
  const title = h("h2", { id: "profile-title" });
  const about = h("p", { class: "small about" });
  const form = h("form", { id: "profile-form", autocomplete: "off", noValidate: true });
  root.append(form);

  /** The elements of the fields, by name. @type {Map<string, { field: import("../../core/profiles/fields.js").Field, input: any, problem: HTMLElement }>} */
  let controls = new Map();
  let drawnId;

  /** Shows the error of a field, or hides it. */
  const mark = (name, error) => {
    const control = controls.get(name);
    if (!control) return;
    control.problem.textContent = error?.message ?? "";
    if (error) control.input.setAttribute("aria-invalid", "true");
    else control.input.removeAttribute("aria-invalid");
    const details = control.input.closest("details");
    if (error && details) details.open = true;
  };
  const values = () => profiles.valuesOf(profiles.selected);

  /** Stores the value of a field after the user has changed it. */
  const store = (field, input) => {
    const { id } = profiles.selected;
    if (field.type === "secret") profiles.setSecret(id, field.name, input.value.trim());
    else profiles.edit(id, { [field.name]: field.type === "check" ? input.checked : input.value });
    const problems = problemsOf(values());
    // A field that the user has not reached yet is no error.
    for (const [name, { input: other }] of controls) if (other === input || other.hasAttribute("aria-invalid")) mark(name, problems.get(name));
  };

  const control = (field) => {
    const id = `field-${field.name}`, stored = profiles.selected[field.name];
    const common = { id, name: field.name, required: field.required, "aria-describedby": `${id}-hint ${id}-problem` };
    let input;
    if (field.type === "select") {
      input = h("select", common, ...field.choices.map(([value, label]) => h("option", { value }, label)));
      input.value = stored ?? "";
    } else if (field.type === "check") {
      input = h("input", { ...common, type: "checkbox", checked: stored === true });
    } else if (field.type === "area" || field.type === "pairs") {
      input = h("textarea", { ...common, rows: 2, spellcheck: false, placeholder: field.placeholder, value: stored ?? "" });
    } else {
      const type = { secret: "password", time: "datetime-local" }[field.type] ?? "text";
      input = h("input", { ...common, type, spellcheck: false, placeholder: field.placeholder, value: field.type === "secret" ? "" : stored ?? "" });
      if (field.type === "time") input.step = "1";
      if (field.type === "number") input.inputMode = "numeric";
      input.autocomplete = field.type === "secret" ? "new-password" : "off";
    }
    input.addEventListener("change", () => store(field, input));
    input.addEventListener("input", () => input.hasAttribute("aria-invalid") && field.type !== "secret" && store(field, input)); // hides its error at once
    const problem = h("p", { id: `${id}-problem`, class: "small bad" });
    controls.set(field.name, { field, input, problem });
    const hint = h("p", { id: `${id}-hint`, class: "small" }, field.hint ?? "");
    const label = field.type === "check" ? h("label", { class: "check" }, input, field.label) : h("label", {}, field.label, input);
    return h("div", { class: `field ${field.type}` }, field.type === "secret" ? secretRow(field, label, input, id) : label, hint, problem);
  };

  /** A secret with a button that shows what the user types, and one that forgets the stored value. */
  const secretRow = (field, label, input, id) => {
    const show = button("Show", () => {
      const hidden = input.type === "text";
      input.type = hidden ? "password" : "text";
      show.setAttribute("aria-pressed", String(!hidden));
    }, { "aria-pressed": "false", "aria-label": `Show: ${field.label}` });
    const forget = button("Forget", () => {
      input.value = "";
      store(field, input);
      showStored();
    }, { "aria-label": `Forget: ${field.label}`, id: `${id}-forget` });
    const showStored = () => {
      const has = Object.hasOwn(profiles.secretsOf(profiles.selected.id), field.name);
      input.placeholder = has ? (profiles.selected.keepSecrets ? "kept in this browser" : "kept for this tab") : "";
      forget.hidden = !has;
      show.hidden = input.value === "";
    };
    input.addEventListener("input", showStored);
    input.addEventListener("change", showStored);
    queueMicrotask(showStored);
    input.showStored = showStored;
    return h("div", { class: "row secret" }, label, show, forget);
  };

  const draw = () => {
    const { selected } = profiles, kind = KINDS[selected.kind], { id } = selected;
    drawnId = id;
    controls = new Map();
    title.textContent = selected.name;
    about.textContent = kind.about;
    const name = h("input", { id: "profile-name", value: selected.name, required: true, maxLength: 100, onchange: () => {
      if (name.value.trim()) profiles.edit(id, { name: name.value.trim() });
      else name.value = profiles.selected.name;
      title.textContent = profiles.selected.name;
    } });
    const atStart = h("input", { type: "checkbox", id: "at-start", checked: profiles.startId === id, onchange: () => (profiles.startId = atStart.checked ? id : "local") });
    const hasSecrets = kind.fields.some(({ type }) => type === "secret");
    const keep = h("input", { type: "checkbox", id: "keep-secrets", checked: Boolean(selected.keepSecrets), "aria-describedby": "keep-meaning", onchange: () => {
      profiles.keepSecrets(id, keep.checked);
      for (const { input } of controls.values()) input.showStored?.();
    } });
    const advanced = h("details", { class: "advanced" }, h("summary", {}, "Advanced"), ...ADVANCED.map(({ title, fields }) => h("fieldset", {}, h("legend", {}, title), ...fields.map(control))));
    advanced.open = ADVANCED.some(({ fields }) => fields.some(({ name }) => selected[name]));
    // The actions are above the fields, so that an error beside a field does not move them.
    form.replaceChildren(
      h("div", { class: "row actions" }, title, h("span", { class: "grow" }),
        h("label", { class: "check" }, atStart, "Connect in new tabs"),
        button("↑", () => profiles.move(id, -1), { "aria-label": "Move the profile up", class: "icon", id: "move-up" }),
        button("↓", () => profiles.move(id, 1), { "aria-label": "Move the profile down", class: "icon", id: "move-down" }),
        button("Code", () => app.showCode("connect", {}, profiles.get(id)), { id: "connect-code" }),
        button("Duplicate", () => (profiles.duplicate(id), focus()), { id: "duplicate" }),
        button(id === "local" ? "Reset" : "Delete", () => run(remove), { id: "delete" }),
        h("button", { class: "primary", id: "connect" }, "Connect")),
      about,
      h("div", { class: "field" }, h("label", {}, "Name of the profile", name)),
      ...kind.fields.map(control),
      hasSecrets ? h("div", { class: "field wide" }, h("label", { class: "check" }, keep, "Keep the secrets of this profile in this browser"),
        h("p", { class: "small", id: "keep-meaning" }, "Without this, they are deleted with the tab. With it, they stay on the disk without encryption, and every page of this address can read them.")) : "",
      advanced);
    controls.get("accessKeyId")?.input.addEventListener("paste", paste);
  };

  /** Removes the selected profile. Ends its connection first. */
  const remove = async () => {
    const { id } = profiles.selected;
    if (id !== "local" && connection.profile.id === id && connection.active) await connection.disconnect();
    profiles.remove(id);
    draw();
    focus();
  };

  /** Fills all fields of the keys from a pasted text that contains them. */
  const paste = (event) => {
    const keys = readKeys(event.clipboardData.getData("text"));
    if (!keys) return;
    event.preventDefault();
    for (const [name, value] of Object.entries(keys)) {
      const { field, input } = controls.get(name);
      input.value = value;
      store(field, input);
      input.showStored?.();
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { selected } = profiles, problems = problemsOf(values());
    for (const name of controls.keys()) mark(name, problems.get(name));
    const [first] = problems.keys();
    if (first) return controls.get(first).input.focus();
    run(async () => {
      try {
        await connection.connect(selected);
      } catch (error) {
        showError(selected, error);
        throw error;
      }
    });
  });

  /** Shows an error of the connection beside the field to which it belongs. */
  const showError = (profile, error) => {
    if (profile.id === drawnId) mark(fieldOfError(profile.kind, error), error);
  };
  connection.failed.on((error) => {
    if (error) showError(connection.profile, error);
    else if (connection.profile.id === drawnId) for (const name of controls.keys()) mark(name);
  });
  profiles.changed.on(() => profiles.selected.id !== drawnId && draw());
  draw();

  const focus = () => form.querySelector("#profile-name").focus();
  commands.add({ id: "edit-profile", title: "Connect: edit the profile in use", run: () => {
    profiles.select(connection.profile.id);
    location.hash = "#/connect";
  } });
  return () => {
    focus();
    form.querySelector("#profile-name").select();
  };
}

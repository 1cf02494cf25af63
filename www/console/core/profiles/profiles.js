import { Emitter } from "../emitter.js";
import { fieldsOf, KINDS, SECRETS } from "./fields.js";
import { kept, session } from "../storage.js";

/**
 * A profile says where the page connects. The other members are the values of the fields of its kind, except the secrets.
 * @typedef {{ id: string, name: string, kind: string, keepSecrets?: boolean, [member: string]: any }} Profile
 */

/** The profile of the local stand-in. It always exists. @type {Profile} */
export const LOCAL = Object.freeze({ id: "local", name: "Local stand-in", kind: "local" });

const FORMAT = "iot.wasm console profiles";
const MAX_IMPORT = 1 << 20; // bytes
const MAX_PROFILES = 200;

/**
 * The profiles in the browser. Secrets are stored apart from them: for the session of the tab, or in the browser if the
 * profile has the member keepSecrets.
 */
export class Profiles {
  /** The id of the profile that is being edited. */
  selectedId = "local";
  /** The last profile that was removed, until the page is closed. @type {{ profile: Profile, secrets: Record<string, string>, at: number } | undefined} */
  removed;
  /** Called after the profiles or the selection have changed. */
  changed = new Emitter();

  constructor() {
    this.selectedId = this.initial.id;
    addEventListener("storage", ({ key }) => key?.startsWith("iot.console.") && this.changed.emit()); // another tab has changed them
  }

  /** All profiles, in the order of the user. @returns {Profile[]} */
  get list() {
    const value = kept.get("profiles", []);
    const stored = Array.isArray(value) ? value.filter((profile) => KINDS[profile?.kind]) : [];
    return stored.some(({ id }) => id === "local") ? stored : [LOCAL, ...stored];
  }

  /** Returns a profile by its id, or undefined. @param {string} id */
  get(id) {
    return this.list.find((profile) => profile.id === id);
  }

  get selected() {
    return this.get(this.selectedId) ?? LOCAL;
  }

  /** Selects the profile to edit. @param {string} id */
  select(id) {
    this.selectedId = id;
    this.changed.emit();
  }

  /** The id of the profile to which a new tab connects. */
  get startId() {
    return kept.get("start", "local");
  }

  set startId(id) {
    kept.set("start", id === "local" ? undefined : id);
    this.changed.emit();
  }

  /** The profile to which the page connects when it is loaded: that of the tab before a reload, or that of a new tab. */
  get initial() {
    return this.get(session.get("profile", "")) ?? this.get(this.startId) ?? LOCAL;
  }

  /**
   * Adds a profile after the others, and selects it.
   * @param {string} kind
   * @param {Record<string, any>} [values]
   * @returns {Profile}
   */
  add(kind, values = {}) {
    const profile = { ...values, id: crypto.randomUUID?.() ?? String(Math.random()), name: this.#freeName(values.name || KINDS[kind].title), kind };
    this.#store([...this.list, profile]);
    this.select(profile.id);
    return profile;
  }

  /** Changes members of a profile that are not secret. @param {string} id @param {Record<string, any>} changes */
  edit(id, changes) {
    this.#store(this.list.map((profile) => (profile.id === id ? { ...profile, ...changes } : profile)));
  }

  /** Adds a copy of a profile and its secrets, and selects it. @param {string} id */
  duplicate(id) {
    const { kind, ...values } = /** @type {Profile} */ (this.get(id));
    const secrets = this.secretsOf(id), copy = this.add(kind, values);
    this.#setSecrets(copy.id, secrets);
    this.changed.emit();
    return copy;
  }

  /** Removes a profile with its secrets. The profile of the local stand-in gets its defaults instead. @param {string} id */
  remove(id) {
    const { list } = this, at = list.findIndex((profile) => profile.id === id);
    this.removed = { profile: list[at], secrets: this.secretsOf(id), at };
    this.#setSecrets(id, {});
    if (this.startId === id) kept.set("start", undefined);
    if (id !== "local") this.selectedId = (list[at + 1] ?? list[at - 1]).id;
    this.#store(id === "local" ? list.map((profile) => (profile.id === id ? { ...LOCAL } : profile)) : list.filter((profile) => profile.id !== id));
  }

  /** Adds the profile that was removed last again, and selects it. */
  restore() {
    if (!this.removed) return;
    const { profile, secrets, at } = this.removed, others = this.list.filter(({ id }) => id !== profile.id);
    this.removed = undefined;
    this.#store(others.toSpliced(at, 0, profile));
    this.#setSecrets(profile.id, secrets);
    this.select(profile.id);
  }

  /** Moves a profile in the order of the list. @param {string} id @param {-1 | 1} by */
  move(id, by) {
    const { list } = this, at = list.findIndex((profile) => profile.id === id), to = at + by;
    if (to < 0 || to >= list.length) return;
    [list[at], list[to]] = [list[to], list[at]];
    this.#store(list);
  }

  /** Returns the secrets of a profile, by the names of their fields. @param {string} id @returns {Record<string, string>} */
  secretsOf(id) {
    return { ...kept.get("secrets", {})[id], ...session.get("secrets", {})[id] };
  }

  /** Stores a secret. "" forgets it. @param {string} id @param {string} name @param {string} value */
  setSecret(id, name, value) {
    const { [name]: _, ...others } = this.secretsOf(id);
    this.#setSecrets(id, value === "" ? others : { ...others, [name]: value });
    this.changed.emit();
  }

  /** Keeps the secrets of a profile in the browser, or only for the session of the tab. @param {string} id @param {boolean} keep */
  keepSecrets(id, keep) {
    const secrets = this.secretsOf(id);
    this.#setSecrets(id, {});
    this.edit(id, { keepSecrets: keep || undefined });
    this.#setSecrets(id, secrets);
    this.changed.emit();
  }

  /** The values of a profile with its secrets, for optionsOf(). @param {Profile} profile */
  valuesOf(profile) {
    return { ...profile, ...this.secretsOf(profile.id) };
  }

  /** Returns the profiles without their secrets, as JSON. @param {Profile[]} [list] */
  exportText(list = this.list) {
    const profiles = list.map(({ id, keepSecrets, ...values }) => withoutSecrets(values));
    return `${JSON.stringify({ format: FORMAT, version: 1, profiles }, undefined, 2)}\n`;
  }

  /**
   * Adds the profiles of an exported file. Throws an error that says what is wrong with the file, and then adds none.
   * Ignores members that no field has, and secrets.
   * @param {string} text
   * @returns {number} how many profiles were added
   */
  importText(text) {
    const refuse = (why) => {
      throw new Error(`The file cannot be imported: ${why}`);
    };
    if (text.length > MAX_IMPORT) refuse("it is larger than 1 MiB.");
    let file;
    try {
      file = JSON.parse(text);
    } catch (error) {
      refuse(`it is not JSON (${error.message}).`);
    }
    if (file?.format !== FORMAT || !Array.isArray(file.profiles)) refuse("it was not exported by this page: a JSON object with “format” and “profiles” is needed.");
    if (file.version !== 1) refuse(`it has the version ${JSON.stringify(file.version)}; this page reads version 1.`);
    if (this.list.length + file.profiles.length > MAX_PROFILES) refuse(`there would be more than ${MAX_PROFILES} profiles.`);
    const read = file.profiles.map((profile, i) => {
      const what = `profile ${i + 1}`;
      if (typeof profile?.name !== "string" || !Object.hasOwn(KINDS, profile?.kind)) refuse(`${what} needs a “name”, and a “kind” that is one of ${Object.keys(KINDS).join(", ")}.`);
      const values = { name: profile.name.slice(0, 100) };
      for (const { name, type } of fieldsOf(profile.kind)) {
        if (!Object.hasOwn(profile, name) || SECRETS.has(name)) continue;
        if (typeof profile[name] !== (type === "check" ? "boolean" : "string")) refuse(`${what} has a member “${name}” that is no ${type === "check" ? "boolean" : "text"}.`);
        values[name] = profile[name];
      }
      return [profile.kind, values];
    });
    for (const [kind, values] of read) this.add(kind, values);
    return read.length;
  }

  /** Returns a name that no other profile has. @param {string} name */
  #freeName(name) {
    const names = new Set(this.list.map((profile) => profile.name)), stem = name.replace(/ \(\d+\)$/, "");
    for (let n = 2; names.has(name); n++) name = `${stem} (${n})`;
    return name;
  }

  /** @param {string} id @param {Record<string, string>} secrets */
  #setSecrets(id, secrets) {
    const keep = this.get(id)?.keepSecrets;
    for (const [area, its] of /** @type {const} */ ([[kept, keep], [session, !keep]])) {
      const { [id]: _, ...others } = area.get("secrets", {});
      const all = its && Object.keys(secrets).length ? { ...others, [id]: secrets } : others;
      area.set("secrets", Object.keys(all).length ? all : undefined);
    }
  }

  /** @param {Profile[]} list */
  #store(list) {
    kept.set("profiles", list.map(withoutSecrets));
    this.changed.emit();
  }
}

/** Returns an object without the members that are secret. @template {object} T @param {T} values @returns {T} */
function withoutSecrets(values) {
  return /** @type {T} */ (Object.fromEntries(Object.entries(values).filter(([name, value]) => !SECRETS.has(name) && value !== undefined && value !== "")));
}

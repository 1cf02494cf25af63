import iot from "../../iot.js";
import { Emitter } from "./emitter.js";
import { optionsOf } from "./profiles/options.js";
import { LOCAL } from "./profiles/profiles.js";
import { Samples } from "./samples.js";
import { session } from "./storage.js";

// The bound of the history of states.
export const MAX_HISTORY = 500;

/**
 * A change of the state.
 * @typedef {{ time: number, event: string, text: string, profile: string, error?: any }} Change
 */

/** The connection of the page. It uses the default client, which is the global `iot`. */
export class Connection {
  #profiles;
  #profileId;
  #turn = 0; // counts the calls of connect() and disconnect(); only the last one has an effect
  client = iot;
  samples = new Samples(iot);
  /** The host of the endpoint of the current profile. */
  host = "";
  /** The facts about the credentials of the last attempt. @type {import("./profiles/options.js").Credential} */
  credential = {};
  /** The time of the next attempt by performance.now(), while the client waits for it. @type {number | undefined} */
  nextAttempt;
  /** The changes of the state, oldest first. It continues through changes of the profile. @type {Change[]} */
  history = [];
  /** Called after each change of the state. */
  changed = new Emitter();
  /** Called with an error to show, or with undefined to hide the last one. */
  failed = new Emitter();

  /** @param {import("./profiles/profiles.js").Profiles} profiles */
  constructor(profiles) {
    this.#profiles = profiles;
    this.#profileId = profiles.initial.id;
    iot.addEventListener("connecting", ({ detail: { attempt } }) => {
      this.nextAttempt = undefined;
      this.#note("connecting", attempt > 1 ? `attempt ${attempt}` : "");
    });
    iot.addEventListener("connected", ({ detail: { clientId, recovered } }) => {
      this.failed.emit();
      this.#note("connected", `${this.host && `to ${this.host} `}as ${clientId}${recovered ? ", the session was kept" : ""}`);
    });
    iot.addEventListener("disconnected", ({ detail: { error, retryInMs } }) => {
      this.nextAttempt = retryInMs === undefined ? undefined : performance.now() + retryInMs;
      this.#note("disconnected", retryInMs === undefined ? "" : retryInMs === 0 ? "trying again at once" : `trying again in ${Math.ceil(retryInMs / 1000)} s`, error);
    });
    iot.addEventListener("closed", ({ detail: { error } }) => {
      this.nextAttempt = undefined;
      // The event "disconnected" has the same error.
      this.#note("closed", "", this.history.at(-1)?.error === error ? undefined : error);
    });
  }

  /** The profile of the connection, as it is now. Changes of it have an effect with the next connect(). */
  get profile() {
    return this.#profiles.get(this.#profileId) ?? LOCAL;
  }

  /** Whether the client is connected or tries to connect. */
  get active() {
    return iot.state !== "idle" && iot.state !== "closed";
  }

  /**
   * Connects with a profile, after it has disconnected from the current one. Rejects as connect() does, or with the error
   * of a field of the profile; then the current connection stays. Resolves with undefined if a later call of connect() or
   * disconnect() replaces this one.
   */
  async connect(profile = this.profile) {
    const turn = ++this.#turn;
    let credential = {};
    try {
      const options = await optionsOf(this.#profiles.valuesOf(profile), (facts) => {
        credential = facts;
        if (turn === this.#turn) this.credential = facts;
      });
      if (turn !== this.#turn) return undefined;
      if (this.active) await iot.disconnect();
      if (turn !== this.#turn) return undefined;
      this.#profileId = profile.id;
      this.credential = credential;
      session.set("profile", profile.id);
      const address = options.endpoint ?? (typeof options.url === "string" ? options.url : "");
      this.host = hostOf(address);
      this.failed.emit();
      return await iot.connect(options);
    } catch (error) {
      if (turn !== this.#turn) return undefined;
      const last = this.history.at(-1)?.error;
      // The events have the errors of attempts, but not those of the arguments.
      if (last?.code !== error.code || last?.message !== error.message) this.#note("failed", "", error, profile);
      throw error;
    }
  }

  disconnect() {
    this.#turn++;
    return iot.disconnect();
  }

  /** Drops the connection and connects again, or starts the next attempt at once. */
  reconnect() {
    return this.active ? iot.reconnect() : this.connect();
  }

  #note(event, text, error, profile = this.profile) {
    this.history.push({ time: Date.now(), event, text, profile: profile.name, error });
    if (this.history.length > MAX_HISTORY) this.history.shift();
    if (error) this.failed.emit(error);
    this.changed.emit();
  }
}

/** Returns the host of an endpoint or a URL, without its query; "" if it is not valid. @param {string | URL} address */
function hostOf(address) {
  try {
    return new URL(String(address).includes("://") ? address : `wss://${address}`).host;
  } catch {
    return "";
  }
}

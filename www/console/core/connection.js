import iot from "../../iot.js";
import { Emitter } from "./emitter.js";
import { LOCAL, optionsOf } from "./profiles.js";

// The bound of the history of states.
const MAX_HISTORY = 500;

/**
 * A change of the state.
 * @typedef {{ time: number, event: string, text: string, error?: any }} Change
 */

/** The connection of the page. It uses the default client, which is the global `iot`. */
export class Connection {
  client = iot;
  profile = LOCAL;
  /** The host of the endpoint of the current profile. */
  host = "";
  /** The changes of the state, oldest first. @type {Change[]} */
  history = [];
  /** Called after each change of the state. */
  changed = new Emitter();
  /** Called with an error to show, or with undefined to hide the last one. */
  failed = new Emitter();

  constructor() {
    iot.addEventListener("connecting", ({ detail: { attempt } }) => this.#note("connecting", attempt > 1 ? `attempt ${attempt}` : ""));
    iot.addEventListener("connected", ({ detail: { clientId, recovered } }) => {
      this.failed.emit();
      this.#note("connected", `${this.host && `to ${this.host} `}as ${clientId}${recovered ? ", the session was kept" : ""}`);
    });
    iot.addEventListener("disconnected", ({ detail: { error, retryInMs } }) => {
      this.#note("disconnected", retryInMs === undefined ? "" : `trying again in ${Math.ceil(retryInMs / 1000)} s`, error);
    });
    iot.addEventListener("closed", ({ detail: { error } }) => this.#note("closed", "", error));
  }

  /** Whether the client is connected or tries to connect. */
  get active() {
    return iot.state !== "idle" && iot.state !== "closed";
  }

  /** Connects with a profile, after it has disconnected from the current one. Rejects as connect() does. */
  async connect(profile = this.profile) {
    if (this.active) await iot.disconnect();
    this.profile = profile;
    this.failed.emit();
    const options = await optionsOf(profile);
    const address = options.endpoint ?? (typeof options.url === "function" ? "" : options.url) ?? "";
    this.host = address && new URL(String(address).includes("://") ? address : `wss://${address}`).host;
    return iot.connect(options);
  }

  disconnect() {
    return iot.disconnect();
  }

  #note(event, text, error) {
    this.history.push({ time: Date.now(), event, text, error });
    if (this.history.length > MAX_HISTORY) this.history.shift();
    if (error) this.failed.emit(error);
    this.changed.emit();
  }
}

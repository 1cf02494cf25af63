/**
 * The device shadow of a thing: its state in AWS IoT Core, which devices and applications share.
 *
 *   import iot from "./iot.js";
 *   import { shadow } from "./shadow.js";
 *   const lamp = shadow(iot, "lamp");
 *   lamp.addEventListener("change", () => show(lamp.reported));
 *   await lamp.update({ desired: { on: true } });
 *
 * Source: AWS IoT Core Developer Guide, "AWS IoT Device Shadow service" (device-shadow-mqtt.html,
 * device-shadow-document.html, device-shadow-error-messages.html).
 */
import { IotError } from "./iot.js";
import { checkName, createService, invalid, optionsOf } from "./iot/service.js";

/** @typedef {import("./shadow.js").ShadowDocument} ShadowDocument */
/** @typedef {import("./shadow.js").ShadowErrorCode} Code */

const NUMBERS = ["timeoutMs", "version", "retry"]; // the options that are numbers
/**
 * The codes of errors, by the codes of AWS IoT and of iot/service.js.
 * @type {Record<string, Code>}
 */
const CODES = {
  // @ts-ignore The code comes from the network, so an inherited member must not match it.
  __proto__: null,
  400: "ERR_SHADOW_REQUEST",
  401: "ERR_SHADOW_UNAUTHORIZED",
  403: "ERR_SHADOW_FORBIDDEN",
  404: "ERR_SHADOW_NOT_FOUND",
  409: "ERR_SHADOW_VERSION",
  413: "ERR_SHADOW_TOO_LARGE",
  415: "ERR_SHADOW_ENCODING",
  429: "ERR_SHADOW_THROTTLED",
  500: "ERR_SHADOW_INTERNAL",
  closed: "ERR_SHADOW_CLOSED",
  timeout: "ERR_SHADOW_TIMEOUT",
};

/** @type {Parameters<typeof createService>[2]} */
const errorOf = ({ code, message }) =>
  new IotError(`${code}: ${message}`.slice(0, 300), {
    code: CODES[code] ?? "ERR_SHADOW_REJECTED", phase: "publish", retryable: /^(timeout|429|5..)$/.test(code),
  });

/** @param {any} v */
const isObject = (v) => Object(v) === v;

/** Whether two values of JSON are equal. @param {any} a @param {any} b @returns {boolean} */
const equal = (a, b) => (isObject(a) && isObject(b) ? Array.isArray(a) === Array.isArray(b) && !difference(a, b) && !difference(b, a) : a === b);

/**
 * Returns the members of desired that differ from those of reported, as AWS IoT computes the delta. Returns undefined if
 * there are none.
 * @param {any} desired
 * @param {any} reported
 * @returns {any}
 */
function difference(desired, reported) {
  const members = Object.entries(desired ?? {}).flatMap(([key, value]) => {
    const other = reported?.[key];
    const nested = [value, other].every((v) => isObject(v) && !Array.isArray(v));
    const delta = nested ? difference(value, other) : equal(value, other) ? undefined : value;
    return delta === undefined ? [] : [[key, delta]];
  });
  return members[0] && Object.fromEntries(members);
}

/**
 * Creates functions that record the version of the newest state that one recipient has received.
 * @param {() => Promise<ShadowDocument>} get
 */
function createVersion(get) {
  let last = 0, time = 0;
  let deleted = false; // after the last state; the versions of the next shadow may begin at 1
  /** @param {any} state @param {boolean} [gone] */
  const set = ({ version, timestamp }, gone = false) => {
    [last, time, deleted] = [version, timestamp, gone];
    return true;
  };
  /** Whether a document is newer than the last one. If it is, it becomes the last one. @param {any} document @param {number} [timestamp] */
  const advance = (document, timestamp = document?.timestamp) =>
    (document?.version > last || (deleted && timestamp > time)) && set({ ...document, timestamp });
  return {
    set_: set,
    advance_: advance,
    /** Whether a deletion is newer than the last state. @param {any} answer the answer to the request delete */
    delete_: (answer) => !deleted && answer.version >= last && set(answer, true),
    /**
     * Fetches the state.
     * @returns {Promise<any>} null if there is no shadow; undefined if the state is not newer than the last one
     */
    async fetch_() {
      const before = last;
      const state = await get().catch(orNull);
      if (!state) return last === before ? ((deleted = true), null) : undefined;
      // A version that is lower than before the request is that of another shadow, which replaced the last one.
      return (last === before && state.version < before && set(state)) || advance(state) ? state : undefined;
    },
  };
}

/** Converts the error for a missing shadow to null. @param {any} error */
function orNull(error) {
  if (error.code === CODES[404]) return null;
  throw error;
}

/**
 * Returns a device shadow. shadow.d.ts documents it.
 * @type {typeof import("./shadow.js").shadow}
 */
export function shadow(client, thing, name) {
  const path = name === undefined ? "" : `name/${checkName(name, /^[$\w:-]{1,64}$/)}/`;
  const { request_, follow_, close_, closing_ } = createService(client, `$aws/things/${checkName(thing, /^[\w:-]{1,128}$/)}/shadow/${path}`, errorOf);
  /** @param {any} [options] */
  const get = (options = {}) => request_("get", {}, options);
  const shown = createVersion(get); // the version of the members of the shadow
  let following = false; // whether these members follow the shadow

  class Shadow extends EventTarget {
    /** @type {any} */
    reported;
    /** @type {any} */
    desired;
    /** @type {any} */
    delta;
    /** @type {number | undefined} */
    version;

    /** @param {any} [options] */
    async get(options) {
      const document = await get(optionsOf(options, NUMBERS));
      if (shown.advance_(document)) show(document);
      return document;
    }

    /** @param {any} given @param {any} [options] */
    async update(given, options) {
      const { version, retry = 0, ...o } = optionsOf(options, NUMBERS);
      /** @type {any} */
      let current = { version };
      for (let attempt = 0; ; attempt++) {
        if (attempt || typeof given === "function") current = (await get(o).catch(orNull)) ?? { state: {} };
        const state = typeof given === "function" ? await given(current.state) : given;
        if (!isObject(state)) throw invalid("state must be an object");
        try {
          return await request_("update", { state, version: current.version }, o);
        } catch (/** @type {any} */ error) {
          if (error.code !== CODES[409] || attempt >= retry) throw error;
        }
      }
    }

    /** @param {any} [options] */
    async delete(options) {
      const answer = await request_("delete", {}, optionsOf(options, NUMBERS));
      if (shown.delete_(answer)) show();
    }

    /** @param {any} [options] */
    deltas(options) {
      const { advance_, fetch_ } = createVersion(get);
      return follow_(["update/delta"], optionsOf(options).signal, (delta) => (advance_(delta) ? delta : undefined), async () => {
        const { state, metadata, ...rest } = (await fetch_()) ?? {};
        return state?.delta && { state: state.delta, metadata: metadata?.delta, ...rest };
      });
    }

    /** @param {any} [options] */
    documents(options) {
      const { set_, advance_, fetch_ } = createVersion(get);
      /** @type {any} the last known document; undefined before the first answer, and null if there is no shadow */
      let last;
      return follow_(["update/documents"], optionsOf(options).signal, (change) => {
        if (!advance_(change.current, change.timestamp)) return undefined;
        last = change.current;
        return change;
      }, async () => {
        const current = await fetch_(), previous = last;
        if (current === undefined) return undefined;
        last = current;
        // A message about the first document may still arrive.
        if (current && previous === undefined) set_({ ...current, version: current.version - 1 });
        else if (current && current.version !== previous?.version) return { previous, current, timestamp: current.timestamp };
      });
    }

    async close() {
      close_();
    }

    // Older browsers do not have Symbol.asyncDispose.
    [Symbol.asyncDispose ?? Symbol()]() {
      return this.close();
    }

    /** @param {string} type @param {any} listener @param {AddEventListenerOptions | boolean} [options] */
    addEventListener(type, listener, options) {
      super.addEventListener(type, listener, options);
      if (type !== "change") return;
      client.addEventListener("connected", follow, { signal: closing_ });
      follow();
    }
  }
  const self = new Shadow();

  /** Makes the members follow the shadow, until it or the client is closed. Later connections start it again. */
  async function follow() {
    if (following) return;
    following = true;
    try {
      await follow_(["update/documents", "delete/accepted"], undefined, (body, topic) => {
        if (topic === "delete/accepted") shown.delete_(body) && show();
        else if (shown.advance_(body.current, body.timestamp)) show(body.current);
      }, async () => {
        const document = await shown.fetch_();
        if (document || (document === null && self.version)) show(document);
      }).next();
    } catch (error) {
      self.dispatchEvent(new CustomEvent("error", { detail: { error } }));
    }
    following = false;
  }

  /** Sets the members. @param {any} [document] nothing if there is no shadow */
  function show(document) {
    const { desired, reported } = document?.state ?? {};
    Object.assign(self, { desired, reported, delta: difference(desired, reported), version: document?.version });
    self.dispatchEvent(new Event("change"));
  }

  /** @satisfies {Omit<import("./shadow.js").Shadow, typeof Symbol.asyncDispose | "addEventListener" | "removeEventListener">} */
  (self);
  return /** @type {any} */ (self); // because only some browsers have Symbol.asyncDispose
}

import { createFeed } from "./feed.js";

/** @typedef {import("../iot.js").IotClient} IotClient */
/** @typedef {import("../iot.js").Message} Message */
/** @typedef {{ code?: any, message?: any }} Rejection the members of an answer to <topic>/rejected, or those of an error of this module */

const TIMEOUT_MS = 10_000; // the default of the option timeoutMs
const DELAY_MS = 5000; // the delay before a state is fetched again after an error

/**
 * Creates the functions that send the requests of one thing to a service of AWS IoT Core. The service answers on the topics
 * <topic>/accepted and <topic>/rejected. The member clientToken of an answer identifies its request. In dist/, each of
 * the modules shadow.js and jobs.js contains a copy of this module, so it has no state.
 * @param {IotClient} client
 * @param {string} prefix the common part of the topics
 * @param {(rejection: Rejection) => Error} errorOf creates the error of a request; its code is "closed" or "timeout" if the service has not rejected it
 */
export function createService(client, prefix, errorOf) {
  checkClient(client);
  const closing = new AbortController();
  const tokens = Math.random(); // distinguishes the requests from those of other clients
  let count = 0;
  /** @type {Map<string, Promise<import("../iot.js").Subscription>>} the subscriptions to answers, by their topics */
  const subscriptions = new Map();
  /** @type {Map<string, { topic_: string, resolve_(answer: any): void, reject_(error: unknown): void }>} the pending requests, by their tokens */
  const pending = new Map();
  const closed = () => errorOf({ code: "closed", message: "close() was called" });

  /**
   * Subscribes to the answers of a topic, unless there is a subscription.
   * @param {string} topic
   * @param {"accepted" | "rejected"} kind
   */
  function listen(topic, kind) {
    const filter = `${topic}/${kind}`;
    let subscribed = subscriptions.get(filter);
    if (!subscribed) {
      subscribed = client.subscribe(filter, (message) => {
        const answer = parse(message);
        const request = pending.get(answer?.clientToken);
        if (kind === "accepted") request?.resolve_(answer);
        else request?.reject_(errorOf(answer));
      }, { qos: 1, signal: closing.signal });
      subscriptions.set(filter, subscribed);
      /** Follows the end of the subscription. @param {unknown} error */
      const ended = (error) => {
        subscriptions.delete(filter);
        for (const request of pending.values()) if (request.topic_ === topic) request.reject_(error ?? closed());
      };
      subscribed.then((s) => s.closed).then(ended, ended);
    }
    return subscribed;
  }

  /**
   * Sends a request. The promise settles within the option timeoutMs.
   * @param {string} operation the rest of the topic
   * @param {object} body
   * @param {{ signal?: AbortSignal, timeoutMs?: number }} options checked options
   * @param {string} [pattern] the rest of the topic for subscriptions
   * @returns {Promise<any>} the body of the answer
   */
  function request(operation, body, { signal, timeoutMs = TIMEOUT_MS }, pattern = operation) {
    const clientToken = `${tokens}-${++count}`, topic = prefix + pattern;
    const settled = new AbortController();
    /** @type {any} */
    let timer;
    return new Promise((resolve, reject) => {
      for (const s of [signal, closing.signal]) {
        s?.throwIfAborted();
        s?.addEventListener("abort", () => reject(s.reason), { signal: settled.signal });
      }
      timer = setTimeout(() => reject(errorOf({ code: "timeout", message: `no answer within ${timeoutMs} ms; check the policy` })), timeoutMs);
      pending.set(clientToken, { topic_: topic, resolve_: resolve, reject_: reject });
      Promise.all([listen(topic, "accepted"), listen(topic, "rejected")])
        .then(() => client.publish(prefix + operation, { json: { ...body, clientToken } }, { qos: 1, signal: settled.signal }))
        .catch(reject);
    }).finally(() => {
      clearTimeout(timer);
      pending.delete(clientToken);
      settled.abort(); // removes the listeners, and a message that waits to be sent
    });
  }

  /**
   * Follows the messages of topics, and fetches the state at the start and after each reconnect, because messages may be
   * lost between two connections. It ends with the signal, close(), the client, or the first error that is not retryable.
   * @param {string[]} topics the rests of the topics
   * @param {AbortSignal | undefined} signal
   * @param {(body: any, topic: string) => any} accept returns the value of a message; undefined for none
   * @param {() => Promise<any>} fetch resolves with the value of the current state; undefined for none
   * @param {(value: any) => void} [take] is called with each value that the page gets; with it, only the last value waits
   * @returns {AsyncGenerator<any>} the values
   */
  function follow(topics, signal, accept, fetch, take) {
    const stop = new AbortController();
    let round = 0;
    /** @param {any} [error] */
    const end = (error) => {
      round = NaN; // ends the loops of start
      feed.end_(error?.code === "ERR_CLOSED" ? undefined : error);
      stop.abort();
    };
    const abort = () => end();
    const feed = createFeed(abort, take);
    const start = async () => {
      const own = ++round;
      while (own === round && client.state === "connected") {
        try {
          return feed.add_(await fetch());
        } catch (/** @type {any} */ error) {
          if (client.state === "connected" && !error?.retryable) return end(error);
        }
        await new Promise((resolve) => setTimeout(resolve, DELAY_MS));
      }
    };
    Promise.all(topics.map(async (topic) => {
      const subscription = await client.subscribe(prefix + topic, (message) => feed.add_(accept(parse(message), topic)), { qos: 1, signal: stop.signal });
      subscription.closed.then(end);
    })).then(() => {
      client.addEventListener("connected", start, { signal: stop.signal });
      start();
    }, end);
    for (const s of [signal, closing.signal]) {
      s?.addEventListener("abort", abort, { signal: stop.signal });
      if (s?.aborted) abort();
    }
    return feed.values_;
  }

  return {
    request_: request,
    follow_: follow,
    /** Rejects the pending requests, and ends all subscriptions. */
    close_: () => closing.abort(closed()),
    /** The signal that aborts at close_(). */
    closing_: closing.signal,
  };
}

/**
 * Parses the JSON of a message. Returns an empty object if the message is not valid JSON.
 * @param {Message} message
 */
export function parse(message) {
  try {
    return Object(message.json());
  } catch {
    return {}; // not a message of the service
  }
}

/** Creates the error of an argument. @param {string} text */
export const invalid = (text) => Object.assign(new TypeError(text), { code: "ERR_OPTION" });

/**
 * Returns a copy of the own options: signal and numbers. Throws a TypeError if an option is unknown or has an invalid value.
 * @param {any} given
 * @param {string[]} [numbers] the names of the options that are numbers
 */
export function optionsOf(given, numbers = []) {
  for (const [name, value] of Object.entries(given ?? {})) {
    const valid = name === "signal" ? value?.addEventListener : numbers.includes(name) && typeof value === "number" && value >= 0 && value < 2 ** 31;
    if (value !== undefined && !valid) throw invalid(`invalid option ${name}`);
  }
  return { __proto__: null, ...given };
}

/** Throws a TypeError if the value is not a client. @param {any} client */
export function checkClient(client) {
  if (typeof client?.subscribe !== "function") throw invalid("client must be an IotClient");
}

/** Returns a name. Throws a TypeError if it does not match the pattern. @param {any} name @param {RegExp} pattern */
export function checkName(name, pattern) {
  if (typeof name !== "string" || !pattern.test(name)) throw invalid(`name must match ${pattern}`);
  return name;
}

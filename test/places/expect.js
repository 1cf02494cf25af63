/** What the tests say of values and events. */

/** Fails unless both say the same as JSON does, undefined included. */
export function equal(got, want, what = "it") {
  const [g, w] = [show(got), show(want)];
  if (g !== w) throw new Error(`${what} is ${g}, want ${w}`);
}

export function ok(truth, what) {
  if (!truth) throw new Error(`not so: ${what}`);
}

function show(value) {
  return JSON.stringify(value, (_, v) => {
    if (v === undefined) return "undefined";
    if (ArrayBuffer.isView(v)) return { [v.constructor.name]: [...v] };
    return v;
  });
}

/** Fails unless the promise rejects; returns with what. */
export async function rejects(promise, { name, code, says = "" } = {}) {
  let error;
  try {
    await promise;
  } catch (e) {
    error = e;
  }
  if (error === undefined) throw new Error(`it resolved, want ${name} ${code}`);
  if (name !== undefined) equal(error.name, name, `the name of "${error.message}"`);
  if (code !== undefined) equal(error.code, code, `the code of "${error.message}"`);
  ok(error.message.includes(says), `"${error.message}" says "${says}"`);
  return error;
}

/** The next event of that type, or the next for which `which` holds. */
export function event(target, type, which = () => true) {
  return new Promise((resolve) => {
    const listener = (e) => {
      if (!which(e)) return;
      target.removeEventListener(type, listener);
      resolve(e);
    };
    target.addEventListener(type, listener);
  });
}

/** A handler of messages, and a place where they can be awaited. */
export class Inbox {
  all = [];
  #wake = () => {};

  take = (message) => {
    this.all.push(message);
    this.#wake();
  };

  /** Resolves with the first n messages that have come. */
  async first(n) {
    while (this.all.length < n) await new Promise((resolve) => (this.#wake = resolve));
    return this.all.slice(0, n);
  }

  /** Their texts. */
  async texts(n) {
    return (await this.first(n)).map((m) => m.text());
  }
}

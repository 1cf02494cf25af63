/** Assertions about values, errors and events. */

/** Fails unless both values have the same JSON text. The text represents undefined as the string "undefined", and a view of a buffer as an object with its class and its elements. `name` is a name of the value for the error. */
export function equal(got, want, name = "the value") {
  const [g, w] = [show(got), show(want)];
  if (g !== w) throw new Error(`${name}: got ${g}, want ${w}`);
}

/** Fails unless `truth` is truthy. `claim` is the statement that must be true. */
export function ok(truth, claim) {
  if (!truth) throw new Error(`not true: ${claim}`);
}

function show(value) {
  return JSON.stringify(value, (_, v) => {
    if (v === undefined) return "undefined";
    if (ArrayBuffer.isView(v)) return { [v.constructor.name]: [...v] };
    return v;
  });
}

/** Fails unless the promise rejects with an error that has this name and this code. The message must contain `includes`. Resolves with the error. */
export async function rejects(promise, { name, code, includes = "" } = {}) {
  let error;
  try {
    await promise;
  } catch (e) {
    error = e;
  }
  if (error === undefined) throw new Error(`the promise resolved, want ${name} ${code}`);
  if (name !== undefined) equal(error.name, name, `the name of "${error.message}"`);
  if (code !== undefined) equal(error.code, code, `the code of "${error.message}"`);
  ok(error.message.includes(includes), `"${error.message}" includes "${includes}"`);
  return error;
}

/** Resolves with the next event of a type for which `accepts` returns true. */
export function event(target, type, accepts = () => true) {
  return new Promise((resolve) => {
    const listener = (e) => {
      if (!accepts(e)) return;
      target.removeEventListener(type, listener);
      resolve(e);
    };
    target.addEventListener(type, listener);
  });
}

/** Collects messages: `take` is a handler. */
export class Inbox {
  all = [];
  #wake = () => {};

  take = (message) => {
    this.all.push(message);
    this.#wake();
  };

  /** Resolves with the first n messages when they have arrived. */
  async first(n) {
    while (this.all.length < n) await new Promise((resolve) => (this.#wake = resolve));
    return this.all.slice(0, n);
  }

  /** Resolves with the texts of the first n messages. */
  async texts(n) {
    return (await this.first(n)).map((m) => m.text());
  }
}

/** Runs a loop over the values, which the returned inbox collects. Its member `ended` is the promise of the loop. */
export function collect(loop) {
  const inbox = new Inbox();
  inbox.ended = (async () => {
    for await (const value of loop) inbox.take(value);
  })();
  return inbox;
}

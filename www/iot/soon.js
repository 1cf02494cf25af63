/** @type {(() => void)[]} */
let works = [];
/** @type {MessageChannel | undefined} */
let channel;

/** Calls work in a task of its own. A timer would be later, above all in a hidden page. @param {() => void} work */
export function soon(work) {
  const { setImmediate } = /** @type {any} */ (globalThis); // Node's
  if (setImmediate) return setImmediate(work);
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const now = works;
      works = [];
      for (const work of now) work();
    };
  }
  if (works.push(work) === 1) channel.port2.postMessage(0);
}

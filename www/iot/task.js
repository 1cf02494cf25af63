/**
 * The functions for the next task.
 * @type {(() => void)[]}
 */
let queued = [];
/** @type {MessageChannel | undefined} */
let channel;

/**
 * Calls work in a later task of the event loop. A timer would take longer, because browsers delay timers, above all in a hidden page.
 * @param {() => void} work
 */
export function queueTask(work) {
  const { setImmediate } = /** @type {any} */ (globalThis); // only Node has it
  if (setImmediate) return setImmediate(work);
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const current = queued;
      queued = [];
      for (const work of current) work();
    };
  }
  if (queued.push(work) === 1) channel.port2.postMessage(0);
}

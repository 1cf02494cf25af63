/** A list of callbacks. emit() calls them in the order in which they were added. */
export class Emitter {
  #callbacks = new Set();

  /** Adds a callback. Returns a function that removes it. */
  on(callback) {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  emit(...args) {
    for (const callback of this.#callbacks) callback(...args);
  }
}

/** Returns a function that calls work once in the next animation frame, however often it is called before. */
export function oncePerFrame(work) {
  let scheduled = false;
  return () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      work();
    });
  };
}

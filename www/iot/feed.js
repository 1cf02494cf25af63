const MAX_BYTES = 1 << 20; // the bound of the JSON texts of the values that wait in a feed

/**
 * Creates an async iterable of values. It buffers values until the page reads them. If the buffered values exceed
 * MAX_BYTES, it drops the oldest ones. A single value may be larger.
 * @param {() => void} stop is called when the page ends its loop; it must call end
 * @param {(value: any) => void} [take] is called with each value that the page gets; with it, only the last value waits
 */
export function createFeed(stop, take) {
  /** @type {[value: any, bytes: number][]} */
  const items = [];
  let total = 0, ended = false;
  /** @type {unknown} */
  let problem;
  let wake = () => {};
  async function* iterate() {
    for (;;) {
      for (let item; (item = items.shift()); ) {
        total -= item[1];
        take?.(item[0]);
        yield item[0];
      }
      if (problem) throw problem;
      if (ended) return;
      await new Promise((/** @type {(value?: any) => void} */ resolve) => (wake = resolve));
    }
  }
  const values = iterate();
  const finish = values.return.bind(values);
  // Without stop(), return() would wait for a pending next().
  values.return = (value) => {
    items.length = 0;
    stop();
    return finish(value);
  };
  return {
    values_: values,
    /** Adds a value, unless it is undefined. @param {any} value */
    add_(value) {
      if (ended || value === undefined) return;
      if (take) items.length = total = 0;
      const bytes = JSON.stringify(value).length;
      items.push([value, bytes]);
      total += bytes;
      while (total > MAX_BYTES && items.length > 1) total -= /** @type {any} */ (items.shift())[1];
      wake();
    },
    /** Ends the iteration after the buffered values, with an error if there is one. @param {unknown} [error] */
    end_(error) {
      if (!ended) problem = error;
      ended = true;
      wake();
    },
  };
}

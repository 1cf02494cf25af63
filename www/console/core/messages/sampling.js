// The points of several series for a chart. All series share one list of times, and a series has null where it has no point.

/**
 * What a chart draws and a legend shows for a range of time.
 * @typedef {object} Sample
 * @property {[number[] | Float64Array, ...(number | null)[][]]} data the times, and the values of each series
 * @property {({ count: number, last: number, min: number, max: number, mean: number } | undefined)[]} figures of each series in the range
 */

/**
 * Returns the points of series in a range of time, from and to included. If there are more than the chart has pixels, it
 * returns the lowest and the highest value of each pixel. The figures are those of all points.
 * @param {import("./series.js").Series[]} list
 * @param {number} from
 * @param {number} to
 * @param {number} width the number of pixels
 * @returns {Sample}
 */
export function sampleOf(list, from, to, width) {
  const parts = list.map((series) => {
    series.sort();
    return [series.indexAt(from), series.indexAt(to, true)];
  });
  const figures = list.map((series, i) => figuresOf(series, ...parts[i]));
  // The line continues to the next point outside of the range.
  const wide = list.map((series, i) => [Math.max(0, parts[i][0] - 1), Math.min(series.size, parts[i][1] + 1)]);
  const dense = parts.some(([first, end]) => end - first > 2 * width);
  return { data: dense ? reduced(list, parts, from, to, width) : rowsOf(list, wide), figures };
}

/** Returns the points in the ranges of indices: a row for each time. Points of one series with equal times are in different rows. */
export function rowsOf(list, parts) {
  const at = parts.map(([first]) => first), times = [];
  const columns = list.map(() => /** @type {(number | null)[]} */ ([]));
  for (;;) {
    let time = Infinity;
    for (let i = 0; i < list.length; i++) if (at[i] < parts[i][1] && list[i].times[at[i]] < time) time = list[i].times[at[i]];
    if (time === Infinity) return /** @type {any} */ ([times, ...columns]);
    times.push(time);
    for (let i = 0; i < list.length; i++) columns[i].push(at[i] < parts[i][1] && list[i].times[at[i]] === time ? list[i].values[at[i]++] : null);
  }
}

function figuresOf({ values }, first, end) {
  if (first >= end) return undefined;
  let min = Infinity, max = -Infinity, sum = 0;
  for (let i = first; i < end; i++) {
    const value = values[i];
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  return { count: end - first, last: values[end - 1], min, max, mean: sum / (end - first) };
}

/** Returns two times for each pixel: one for the lowest and one for the highest value, in the order of these values. */
function reduced(list, parts, from, to, width) {
  // The limits of the pixels are multiples of their duration, so that the line does not flicker while the range moves.
  const step = (to - from) / width || 1, start = Math.floor(from / step);
  const slots = 2 * (Math.floor(to / step) - start + 1);
  const times = Float64Array.from({ length: slots }, (_, slot) => (start + slot / 2 + 0.25) * step);
  const columns = list.map(({ times, values }, i) => {
    const column = new Array(slots).fill(null), [first, end] = parts[i];
    for (let at = first; at < end; ) {
      const pixel = Math.floor(times[at] / step);
      let low = at, high = at;
      for (at++; at < end && Math.floor(times[at] / step) === pixel; at++) {
        if (values[at] < values[low]) low = at;
        if (values[at] > values[high]) high = at;
      }
      const slot = 2 * (pixel - start);
      column[slot] = values[Math.min(low, high)];
      if (low !== high) column[slot + 1] = values[Math.max(low, high)];
    }
    return column;
  });
  return /** @type {any} */ ([times, ...columns]);
}

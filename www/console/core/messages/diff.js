// The difference between two texts, by lines.

// The bound of the number of differing lines for which the shortest difference is searched.
const MAX_EDITS = 1000;

/**
 * A line of a difference: "=" in both texts, "-" in the first text only, "+" in the second text only.
 * @typedef {{ kind: "=" | "-" | "+", text: string }} Line
 */

/**
 * Returns the difference between two lists of lines: the shortest one (the algorithm of Myers), or one with the whole middle
 * replaced if more than a thousand lines differ.
 * @param {string[]} before
 * @param {string[]} after
 * @returns {Line[]}
 */
export function diffLines(before, after) {
  let start = 0, endA = before.length, endB = after.length;
  while (start < endA && start < endB && before[start] === after[start]) start++;
  while (endA > start && endB > start && before[endA - 1] === after[endB - 1]) endA--, endB--;
  const lines = (kind, from) => from.map((text) => ({ kind, text }));
  const a = before.slice(start, endA), b = after.slice(start, endB);
  return [...lines("=", before.slice(0, start)), ...(shortest(a, b) ?? [...lines("-", a), ...lines("+", b)]), ...lines("=", before.slice(endA))];
}

/** @param {string[]} a @param {string[]} b @returns {Line[] | undefined} undefined above the bound */
function shortest(a, b) {
  const most = Math.min(a.length + b.length, MAX_EDITS), size = 2 * most + 2;
  const reach = new Int32Array(size + 1); // diagonal + most → the furthest index in a
  const steps = [];
  for (let edits = 0; edits <= most; edits++) {
    steps.push(reach.slice(most - edits, most + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && reach[most + k - 1] < reach[most + k + 1]);
      let x = down ? reach[most + k + 1] : reach[most + k - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[most + k] = x;
      if (x >= a.length && x - k >= b.length) return trace(a, b, steps, edits);
    }
  }
  return undefined;
}

/** Follows the steps back from the ends of both lists. @returns {Line[]} */
function trace(a, b, steps, edits) {
  const lines = [];
  let x = a.length, y = b.length;
  for (let d = edits; d > 0; d--) {
    const at = (k) => steps[d][k + d]; // the state before the step d, for the diagonals from -d to d + 1
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const fromX = down ? at(k + 1) : at(k - 1), fromY = fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY) lines.push({ kind: "=", text: a[--x] }), y--;
    if (down) lines.push({ kind: "+", text: b[--y] });
    else lines.push({ kind: "-", text: a[--x] });
  }
  while (x > 0) lines.push({ kind: "=", text: a[--x] });
  return lines.reverse();
}

/**
 * Replaces long runs of equal lines by their number, except for some lines beside a difference.
 * @param {Line[]} lines
 * @param {number} [context] the number of equal lines to keep
 * @returns {(Line | { kind: "…", text: string })[]}
 */
export function foldEqual(lines, context = 3) {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ kind }, i) => kind !== "=" && near.fill(1, Math.max(0, i - context), i + context + 1));
  const folded = [];
  for (let i = 0; i < lines.length; i++) {
    let end = i;
    while (end < lines.length && !near[end]) end++;
    if (end - i > 1) {
      folded.push({ kind: "…", text: `${(end - i).toLocaleString()} equal lines` });
      i = end - 1;
    } else folded.push(lines[i]);
  }
  return folded;
}

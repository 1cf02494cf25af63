/**
 * Compares a search text with a title. All characters of the text must occur in the title in the same order, in any case.
 * Beginnings of words and adjacent characters count more.
 * @param {string} text
 * @param {string} title
 * @returns {{ score: number, at: number[] } | undefined} the score, and the indices of the characters; undefined if the title does not match
 */
export function match(text, title) {
  const wanted = [...text.toLowerCase()].filter((c) => c !== " "), lower = title.toLowerCase();
  /** The best match of the characters from `i` on, at or after the index `from`. @returns {{ score: number, at: number[] } | undefined} */
  const best = (i, from, before) => {
    if (i === wanted.length) return { score: 0, at: [] };
    const key = `${i} ${from} ${before === from - 1}`;
    if (known.has(key)) return known.get(key);
    let result;
    for (let at = lower.indexOf(wanted[i], from); at >= 0; at = lower.indexOf(wanted[i], at + 1)) {
      const rest = best(i + 1, at + 1, at);
      if (!rest) break; // a later start leaves fewer characters
      const score = rest.score + (at === before + 1 ? 6 : 0) + (at === 0 || /[^\p{L}\p{N}]/u.test(lower[at - 1]) ? 8 : 0) - (at - from) * 0.1;
      if (!result || score > result.score) result = { score, at: [at, ...rest.at] };
    }
    known.set(key, result);
    return result;
  };
  const known = new Map();
  return best(0, 0, -2);
}

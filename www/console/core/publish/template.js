// Templates in a topic or a payload, like {{n}} and {{sine 60 20 25}}. Each publication replaces them by values.

/**
 * The values of one publication.
 * @typedef {object} TemplateContext
 * @property {number} n the number of the message, from 1
 * @property {number} now the time, in milliseconds since 1970
 * @property {{ topic: string, payload: string }} [request] the request, in the template of a responder
 */

/**
 * @typedef {object} Template
 * @property {string} example
 * @property {string} text what it becomes
 * @property {boolean} [number] whether the value is a number in JSON
 * @property {boolean} [responder] whether only a responder has the value
 * @property {(words: string[], context: TemplateContext) => string | number | undefined} value returns undefined if the words are not valid
 */

const numbers = (words) => words.map(Number);
const none = (words) => words.length === 0;

/** Returns the number of digits after the decimal point. @param {string[]} words */
const decimalsOf = (words) => Math.min(10, Math.max(...words.map((word) => /\.(\d+)$/.exec(word)?.[1].length ?? 0)));

/** Returns a random number from low to high, with the decimals of the words: integers for integers. */
function randomBetween(words) {
  const [low, high] = numbers(words);
  const decimals = decimalsOf(words), scale = 10 ** decimals;
  const steps = Math.round((high - low) * scale);
  return (low + Math.floor(Math.random() * (steps + 1)) / scale).toFixed(decimals);
}

function sine([period, low, high], now) {
  const phase = (now % (period * 1000)) / (period * 1000);
  return (low + ((high - low) * (1 + Math.sin(2 * Math.PI * phase))) / 2).toFixed(2);
}

function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID() exists in secure contexts only
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The templates by their names. @type {Record<string, Template>} */
export const TEMPLATES = {
  n: { example: "{{n}}", text: "1, 2, 3 …; {{n 100}} begins with 100", number: true, value: (words, { n }) => (words.length < 2 && Number.isInteger(Number(words[0] ?? 1)) ? Number(words[0] ?? 1) + n - 1 : undefined) },
  time: { example: "{{time}}", text: "the time, like 2026-01-31T12:00:00.000Z", value: (words, { now }) => (none(words) ? new Date(now).toISOString() : undefined) },
  ms: { example: "{{ms}}", text: "the milliseconds since 1970", number: true, value: (words, { now }) => (none(words) ? now : undefined) },
  seconds: { example: "{{seconds}}", text: "the seconds since 1970", number: true, value: (words, { now }) => (none(words) ? Math.floor(now / 1000) : undefined) },
  random: {
    example: "{{random 10 20}}", text: "an integer from 10 to 20; {{random 1.0 2.0}} has one decimal; {{random}} is from 0 to 1", number: true,
    value: (words) => (none(words) ? Math.random().toFixed(4) : words.length === 2 && numbers(words).every(Number.isFinite) && Number(words[0]) <= Number(words[1]) ? randomBetween(words) : undefined),
  },
  sine: {
    example: "{{sine 60 20 25}}", text: "a wave with a period of 60 seconds, from 20 to 25", number: true,
    value: (words, { now }) => (words.length === 3 && numbers(words).every(Number.isFinite) && Number(words[0]) > 0 ? sine(numbers(words), now) : undefined),
  },
  pick: { example: "{{pick on off}}", text: "one of the words, at random", value: (words) => (none(words) ? undefined : words[Math.floor(Math.random() * words.length)]) },
  uuid: { example: "{{uuid}}", text: "a random UUID", value: (words) => (none(words) ? uuid() : undefined) },
  topic: { example: "{{topic}}", text: "the topic of the request", responder: true, value: (words, { request }) => (none(words) ? request?.topic : undefined) },
  payload: { example: "{{payload}}", text: "the payload of the request", responder: true, value: (words, { request }) => (none(words) ? request?.payload : undefined) },
};

const PATTERN = /\{\{([^{}]*)\}\}/g;

/** Returns the template and the words of the text between braces. @param {string} inner */
function read(inner) {
  const [name, ...words] = inner.trim().split(/\s+/);
  return { template: Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined, words };
}

/** Replaces the templates in a text. Text in braces that is no template stays as it is. @param {string} text @param {TemplateContext} context */
export function expand(text, context) {
  return text.replace(PATTERN, (all, inner) => {
    const { template, words } = read(inner);
    return String(template?.value(words, context) ?? all);
  });
}

const SAMPLE = { n: 1, now: 0, request: undefined };

/**
 * Returns what a text has: the templates, and the texts in braces that are none.
 * @param {string} text
 * @returns {{ used: string[], unknown: string[] }}
 */
export function templatesIn(text) {
  const used = [], unknown = [];
  for (const [all, inner] of text.matchAll(PATTERN)) {
    const { template, words } = read(inner);
    (template?.value(words, SAMPLE) === undefined ? unknown : used).push(all);
  }
  return { used, unknown };
}

/**
 * Replaces each template by a text of the same length, so that positions stay the same: digits for a number, letters
 * otherwise. The result is JSON if the expanded text is.
 * @param {string} text
 */
export function mask(text) {
  return text.replace(PATTERN, (all, inner) => {
    const { template, words } = read(inner);
    if (template?.value(words, SAMPLE) === undefined) return all;
    return (template.number ? "1" : "x").repeat(all.length);
  });
}

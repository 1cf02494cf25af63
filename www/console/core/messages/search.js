import iot from "../../../iot.js";
import { readPath, someAt, unquote } from "./search-path.js";

// The language of the search field. SYNTAX describes it for the user.

/** The terms of the search, each with its meaning, for a table in the page. */
export const SYNTAX = [
  ["pump", "the topic or the payload contains this text; upper and lower case are equal"],
  ['"two words"', "a text with spaces; \\\" stands for a quote"],
  ["topic:site/+/t", "the topic matches this filter"],
  ["json:a.b", "the payload is JSON and has a value at this path; also items[0], items[*] and [\"a key\"]"],
  ["json:t>20", "the value at this path, compared by = != > >= < <= or ~ (contains)"],
  ["prop:name=value", "the user property or MQTT property has this value; without =value: it exists"],
  ["sub:name", "received by the subscription with this name or filter"],
  ["qos:1", "delivered with this QoS"],
  ["retained", "sent because it was retained; the text itself: \"retained\""],
  ["size>1000", "the payload has this size in bytes"],
  ["-term", "the term is not true; all other terms must be true"],
];

/** The error of a search that is not valid. Its message states the reason. */
export class SearchError extends Error {
  code = "";
}

/**
 * What a term may look at.
 * @typedef {object} Subject
 * @property {import("./messages.js").MessageRecord} record
 * @property {() => string} text the payload as text, in lower case
 * @property {() => any} json the payload as JSON, or undefined
 */

/**
 * @typedef {object} Query
 * @property {string} expression
 * @property {(record: import("./messages.js").MessageRecord) => boolean} matches
 * @property {string[]} texts the texts that a matching message contains in its topic or payload, in lower case
 */

// Bytes that are not UTF-8 become U+FFFD. The strict decoder would be slow, because it throws.
const decoder = new TextDecoder();

/**
 * Returns the query of an expression, or undefined if the expression is blank. Throws a SearchError.
 * @param {string} expression
 * @param {import("./subscriptions.js").Subscriptions} subscriptions for the terms sub:
 * @returns {Query | undefined}
 */
export function parseSearch(expression, subscriptions) {
  const texts = [];
  const tests = wordsOf(expression).map((word) => {
    const negative = word.length > 1 && word.startsWith("-");
    const { test, text } = termOf(negative ? word.slice(1) : word, subscriptions);
    if (text && !negative) texts.push(text);
    return negative ? (subject) => !test(subject) : test;
  });
  if (tests.length === 0) return undefined;
  return { expression, texts, matches: (record) => matchesAll(tests, subjectOf(record)) };
}

function matchesAll(tests, subject) {
  for (const test of tests) if (!test(subject)) return false;
  return true;
}

/** @param {import("./messages.js").MessageRecord} record @returns {Subject} */
function subjectOf(record) {
  let text, json;
  return {
    record,
    text: () => (text ??= decoder.decode(record.payload).toLowerCase()),
    json: () => {
      if (json === undefined) {
        try {
          json = { value: JSON.parse(decoder.decode(record.payload)) };
        } catch {
          json = {};
        }
      }
      return json.value;
    },
  };
}

/** Splits an expression at spaces outside of quotes. @param {string} expression */
function wordsOf(expression) {
  /** @type {string[]} */
  const words = expression.match(/(?:"(?:[^"\\]|\\.)*"|[^\s"])+|"/g) ?? [];
  if (words.includes('"')) throw new SearchError('A quote is not closed: add " at its end.');
  return words;
}

/** @returns {{ test: (subject: Subject) => boolean, text?: string }} */
function termOf(word, subscriptions) {
  const [, name, rest] = /^(topic|json|prop|sub|qos|size):?(.*)$/is.exec(word) ?? [];
  const key = name?.toLowerCase();
  if (key === "size" && /^size:?[<>=!]/i.test(word)) return { test: sizeTerm(rest) };
  if (key && word[key.length] === ":") {
    if (!rest) throw new SearchError(`${key}: needs a value, like ${SYNTAX.find(([term]) => term.startsWith(`${key}:`))?.[0] ?? "size>1000"}.`);
    return { test: TERMS[key](rest, subscriptions) };
  }
  if (word.toLowerCase() === "retained") return { test: ({ record }) => record.retain };
  const text = plain(word).toLowerCase();
  return { text, test: (subject) => subject.record.topic.toLowerCase().includes(text) || subject.text().includes(text) };
}

/** Returns a word without its quotes. */
function plain(word) {
  return word.replaceAll(/"(?:[^"\\]|\\.)*"/g, unquote);
}

const TERMS = {
  topic(rest) {
    const filter = plain(rest);
    // A valid filter matches this topic.
    if (!iot.matches(filter, filter.replaceAll("+", "x").replace(/#$/, "x"))) throw new SearchError(`topic: ${filter} is not a topic filter. + stands for one level, and # at the end for all further levels.`);
    return ({ record }) => iot.matches(filter, record.topic);
  },
  json(rest) {
    const { keys, length } = readPath(rest);
    if (!length) throw new SearchError(`json: needs a path like status.t or items[0], not ${rest}.`);
    const after = rest.slice(length);
    const test = after ? comparison("json", after) : () => true;
    return (subject) => {
      const value = subject.json();
      return value !== undefined && someAt(value, keys, test);
    };
  },
  prop(rest) {
    const [, name, operator, value] = /^((?:"(?:[^"\\]|\\.)*"|[^=~"])+)([=~])?(.*)$/s.exec(rest) ?? [];
    if (!name) throw new SearchError("prop: needs a name, like prop:name=value.");
    const wanted = plain(value), key = plain(name), lower = wanted.toLowerCase();
    const equal = operator === undefined ? () => true : operator === "=" ? (text) => text === wanted : (text) => text.toLowerCase().includes(lower);
    return ({ record }) => record.userProperties.some(([n, v]) => n === key && equal(v)) || (MQTT_PROPERTIES.includes(key) && record[key] !== undefined && equal(propertyText(record[key])));
  },
  sub(rest, subscriptions) {
    const wanted = plain(rest);
    const ids = subscriptions.list.filter(({ name, filter }) => name === wanted || filter === wanted).map(({ id }) => id);
    if (!ids.length) throw new SearchError(`sub: there is no subscription with the name or filter ${wanted}.`);
    return ({ record }) => record.subscriptions.some((id) => ids.includes(id));
  },
  qos(rest) {
    if (!/^[012]$/.test(rest)) throw new SearchError(`qos: is 0, 1 or 2, not ${rest}.`);
    return ({ record }) => record.qos === Number(rest);
  },
  size: (rest) => sizeTerm(`=${rest}`),
};

/** The properties of MQTT that prop: finds beside the user properties. */
const MQTT_PROPERTIES = ["contentType", "responseTopic", "correlationData", "messageExpiry"];
const propertyText = (value) => (value instanceof Uint8Array ? decoder.decode(value) : String(value));

function sizeTerm(rest) {
  const compare = comparison("size", rest);
  if (!/^[<>=!]+\d+$/.test(rest)) throw new SearchError("size is compared with a number of bytes, like size>1000.");
  return ({ record }) => compare(record.payload.length);
}

const OPERATORS = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

/** Returns a function that compares a value as a text like ">=20" states. */
function comparison(key, text) {
  const [, operator, rest] = /^(>=|<=|!=|[=<>~])(.*)$/s.exec(text) ?? [];
  if (!operator) throw new SearchError(`${key}: expected an operator (= != > >= < <= ~), not ${text}.`);
  if (!rest) throw new SearchError(`${key}: a value is missing after ${operator}.`);
  const wanted = plain(rest);
  if (operator === "~") {
    const lower = wanted.toLowerCase();
    return (value) => (typeof value === "object" ? JSON.stringify(value) : String(value)).toLowerCase().includes(lower);
  }
  const quoted = rest.startsWith('"');
  const literal = quoted ? undefined : { true: true, false: false, null: null }[wanted];
  const number = quoted || literal !== undefined || wanted.trim() === "" ? NaN : Number(wanted);
  const compare = OPERATORS[operator];
  if (!Number.isNaN(number)) {
    // A number in a string is compared by = and != only.
    return (value) => (typeof value === "number" ? compare(value, number) : operator === "=" ? value === wanted : operator === "!=");
  }
  if (/[<>]/.test(operator)) {
    if (!quoted) throw new SearchError(`${key}: ${operator} needs a number, or a text in quotes, not ${wanted}.`);
    return (value) => typeof value === "string" && compare(value, wanted);
  }
  const other = literal === undefined ? wanted : literal;
  return (value) => compare(value, other);
}

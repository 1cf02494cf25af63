// The bounds of the tree. A level is a part of a topic between slashes.
const MAX_LEVELS = 60_000;
const MAX_BYTES = 32 << 20;
// The approximate memory of a level beside its name and its value.
const OVERHEAD = 450;
// The part of the last payload that a level keeps: enough for a preview.
const KEPT = 400;
// A topic with more levels has the rest of its text in the last one.
const MAX_DEPTH = 64;
// The rate is an average over the last messages. The weight of a message falls to 1/e in this time.
const DECAY_MS = 3000;

/** Returns a key for a name: keys have the order of the names, and the order of the numbers in the names. */
const sortKey = (name) => name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, "0"));

/** A level of the tree. It stands for a topic if messages of exactly this topic were received. */
export class TopicNode {
  /** @type {Map<string, TopicNode> | undefined} */
  children;
  /** The number of levels above this one. The root has the level 0. */
  level = 0;
  /** The number of messages of this topic, and of this topic and those below it. */
  own = 0;
  count = 0;
  /** The number of topics, and of topics with a retained message, at and below this level. */
  topics = 0;
  retainedBelow = 0;
  /** Whether the broker has sent a retained message of this topic, and the page has not cleared it. */
  retained = false;
  /** The beginning of the last payload of this topic, its size, and the number and the time of its record. @type {Uint8Array | undefined} */
  value;
  size = 0;
  n = -1;
  received = 0;
  qos = 0;
  /** The time of the last message at or below this level, on the clock of performance.now(). */
  time = -Infinity;
  rate = 0;
  /** The figures at the time of the pause, if they have changed since. @type {any} */
  past;
  pause = 0; // the number of the pause to which past belongs

  // The state of the view, see views/messages/tree-model.js.
  open = false;
  found = false; // the name matches the search
  foundBelow = 0; // the number of found levels below
  foundOpen = false;
  /** @type {TopicNode[] | undefined} */
  order;
  orderOf = 0;
  row = -1;
  position = 0;
  siblings = 0;

  /**
   * @param {string} name
   * @param {TopicNode | undefined} parent
   * @param {number} born the number of the pauses before the level was created
   */
  constructor(name, parent, born) {
    this.name = name;
    this.key = sortKey(name);
    this.parent = parent;
    if (parent) this.level = parent.level + 1;
    this.born = born;
  }

  /** The topic, or the part of the topics that this level and the ones above form. */
  get topic() {
    let text = this.name;
    for (let node = this.parent; node?.parent; node = node.parent) text = `${node.name}/${text}`;
    return text;
  }

  /** A topic filter that matches all topics at and below this level. */
  get filter() {
    return this.children ? `${this.topic}/#` : this.topic;
  }

  /** The levels below that are topics and fulfil a condition. @param {(node: TopicNode) => boolean} [condition] @returns {TopicNode[]} */
  topicsBelow(condition = () => true) {
    const found = [];
    const visit = (node) => {
      if (node.own && condition(node)) found.push(node);
      for (const child of node.children?.values() ?? []) visit(child);
    };
    visit(this);
    return found;
  }
}

/**
 * The topics of the received messages as a tree. It does not lose a topic when the history removes old messages. Above the
 * bounds it removes the topics that have been without a message for the longest time.
 */
export class TopicTree {
  /** @type {Map<string, TopicNode>} topic → its level */
  #topics = new Map();
  #pauses = 0;
  /** The time of the pause on the clock of performance.now(), or undefined. @type {number | undefined} */
  #pausedAt;
  root = new TopicNode("", undefined, 0);
  levels = 0;
  maxLevels = MAX_LEVELS;
  bytes = 0;
  maxBytes = MAX_BYTES;
  /** The number of topics that were removed because of the bounds. */
  removed = 0;
  /** Changes when a level is added or removed. */
  version = 0;
  /** A function that receives each new level. @type {(node: TopicNode) => void} */
  onlevel = () => {};

  /** @param {import("./messages.js").Messages} messages */
  constructor(messages) {
    messages.added.on((record) => this.add(record));
    messages.cleared.on(() => this.clear());
  }

  /** The number of topics. */
  get size() {
    return this.#topics.size;
  }

  /** All topics, the ones first that were received first. */
  get topics() {
    return this.#topics.entries();
  }

  /** Returns the level of a topic with messages, or undefined. @param {string} topic */
  find(topic) {
    return this.#topics.get(topic);
  }

  /** Counts a message. @param {import("./messages.js").MessageRecord} record */
  add(record) {
    const { topic, payload } = record, now = performance.now();
    const node = this.#topics.get(topic) ?? this.#grow(topic);
    for (let at = node; at; at = at.parent) {
      if (this.#pausedAt !== undefined && at.pause !== this.#pauses) this.#keepPast(at);
      at.rate = at.rate * Math.exp((at.time - now) / DECAY_MS) + 1000 / DECAY_MS;
      at.time = now;
      at.count++;
    }
    node.own++;
    this.bytes -= node.value?.length ?? 0;
    node.value = payload.length > KEPT ? payload.slice(0, KEPT) : payload;
    this.bytes += node.value.length;
    node.size = payload.length;
    node.n = record.n;
    node.qos = record.qos;
    node.received = record.time;
    if (record.retain && !record.source) this.setRetained(node, payload.length > 0);
  }

  /** Notes whether a topic has a retained message. @param {TopicNode} node @param {boolean} retained */
  setRetained(node, retained) {
    if (node.retained === retained) return;
    node.retained = retained;
    for (let at = node; at; at = at.parent) at.retainedBelow += retained ? 1 : -1;
  }

  /** Returns the figures of a level to show: those at the time of the pause while the page is paused. @param {TopicNode} node */
  figuresOf(node) {
    const paused = this.#pausedAt !== undefined;
    const figures = paused && node.pause === this.#pauses ? node.past : node;
    const age = Math.max(0, (this.#pausedAt ?? performance.now()) - figures.time);
    return { count: figures.count, own: figures.own, value: figures.value, size: figures.size, n: figures.n, qos: figures.qos, received: figures.received, age, rate: figures.rate * Math.exp(-age / DECAY_MS) };
  }

  /** Whether a level is new since the page was paused. @param {TopicNode} node */
  isHidden(node) {
    return this.#pausedAt !== undefined && node.born === this.#pauses;
  }

  /** Keeps the figures that figuresOf() returns, or returns the current ones again. @param {boolean} paused */
  freeze(paused) {
    if (paused === (this.#pausedAt !== undefined)) return;
    this.#pausedAt = paused ? performance.now() : undefined;
    if (paused) this.#pauses++;
    this.version++;
  }

  #keepPast(node) {
    const { count, own, value, size, n, qos, received, time, rate } = node;
    node.past = { count, own, value, size, n, qos, received, time, rate };
    node.pause = this.#pauses;
  }

  /** Creates the levels of a topic. @param {string} topic */
  #grow(topic) {
    const names = topic.split("/", MAX_DEPTH);
    if (names.length === MAX_DEPTH) names[MAX_DEPTH - 1] = topic.slice(names.slice(0, -1).join("/").length + 1);
    while (this.#topics.size > 1 && (this.levels + names.length > this.maxLevels || this.bytes + OVERHEAD * names.length + 6 * topic.length > this.maxBytes)) this.#sweep();
    let node = this.root;
    for (const name of names) {
      node.children ??= new Map();
      let child = node.children.get(name);
      if (!child) {
        child = new TopicNode(name, node, this.#pausedAt === undefined ? -1 : this.#pauses);
        node.children.set(name, child);
        node.order = undefined;
        this.levels++;
        this.bytes += costOf(child);
        this.onlevel(child);
      }
      node = child;
    }
    this.#topics.set(topic, node);
    this.bytes += 2 * topic.length;
    for (let at = node; at; at = at.parent) at.topics++;
    this.version++;
    return node;
  }

  /** Removes the tenth of the topics that has been without a message for the longest time. */
  #sweep() {
    const times = Float64Array.from(this.#topics.values(), (node) => node.time).sort();
    const last = times[Math.floor(times.length / 10)];
    let count = Math.max(1, Math.floor(times.length / 10));
    for (const [topic, node] of this.#topics) {
      if (node.time > last || count === 0) continue;
      count--;
      this.#remove(topic, node);
      this.removed++;
    }
  }

  #remove(topic, node) {
    this.#topics.delete(topic);
    this.bytes -= 2 * topic.length + (node.value?.length ?? 0);
    this.setRetained(node, false);
    node.own = 0;
    node.value = undefined;
    for (let at = node; at; at = at.parent) at.topics--;
    for (let at = node; at.parent && !at.own && !at.children; at = at.parent) {
      const { parent } = at;
      parent.children.delete(at.name);
      if (parent.children.size === 0) parent.children = undefined;
      parent.order = undefined;
      for (let above = at.found ? parent : undefined; above; above = above.parent) above.foundBelow--;
      this.levels--;
      this.bytes -= costOf(at);
    }
    this.version++;
  }

  /** Removes all topics. */
  clear() {
    this.#topics.clear();
    this.root = new TopicNode("", undefined, 0);
    this.levels = this.bytes = this.removed = 0;
    this.version++;
  }
}

const costOf = (node) => OVERHEAD + 4 * node.name.length;

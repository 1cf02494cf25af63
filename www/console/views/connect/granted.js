import { sizeOf } from "../../core/payload.js";
import { h } from "../../ui/dom.js";

const NONE = 4_294_967_295; // the value of MQTT for "no limit"
const yes = (value) => (value ? "yes" : "no");
const seconds = (value) => `${value.toLocaleString()} s`;

/**
 * The members of a connection: the name in MQTT 5, the meaning, and the value as text.
 * @type {Record<keyof import("../../../iot.js").Connection, [name: string, meaning: string, text?: (value: any) => string]>}
 */
const MEMBERS = {
  clientId: ["Client Identifier", "The name of this client; the broker has assigned it or accepted ours."],
  sessionPresent: ["Session Present", "Whether the broker had a session for this client id.", yes],
  keepAlive: ["Server Keep Alive", "The broker closes the connection if it receives nothing for one and a half times this interval.", (value) => (value ? seconds(value) : "off")],
  sessionExpiry: ["Session Expiry Interval", "How long the broker keeps the session after the connection has ended.", (value) => (value === NONE ? "does not expire" : seconds(value))],
  receiveMaximum: ["Receive Maximum", "How many messages of QoS 1 and 2 may wait for the broker’s acknowledgement at a time.", (value) => value.toLocaleString()],
  maximumQoS: ["Maximum QoS", "The highest QoS that the broker accepts in a published message.", String],
  maximumPacketSize: ["Maximum Packet Size", "The size of the largest packet that the broker accepts.", (value) => (value === NONE ? "no limit" : `${value.toLocaleString()} B (${sizeOf(value)})`)],
  topicAliasMaximum: ["Topic Alias Maximum", "How many topics the client may replace by a short number when it publishes.", (value) => value.toLocaleString()],
  retainAvailable: ["Retain Available", "Whether the broker retains messages for later subscribers.", yes],
  wildcardSubscriptionAvailable: ["Wildcard Subscription Available", "Whether filters may contain + and #.", yes],
  sharedSubscriptionAvailable: ["Shared Subscription Available", "Whether filters may begin with $share/, so that several clients share the messages.", yes],
  subscriptionIdentifierAvailable: ["Subscription Identifiers Available", "Whether a subscription may have a number that its messages carry; this client sends none.", yes],
  userProperties: ["User Property", "Pairs of a name and a value that the broker has added to CONNACK.", (value) => value.map(([name, text]) => `${name}=${text}`).join("\n") || "none"],
};

/**
 * The values that the broker granted in CONNACK. Returns a function that draws them.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mountGranted(root, { connection }) {
  const cells = new Map(); // the elements of the values, by their members
  const row = (member) => {
    const [name, meaning] = MEMBERS[member] ?? [member, ""], cell = h("td", { class: "mono" });
    cells.set(member, cell);
    return h("tr", { dataset: { member } }, h("th", { scope: "row" }, name, h("small", {}, meaning)), cell);
  };
  const body = h("tbody", {}, Object.keys(MEMBERS).map(row));
  root.append(h("h2", { id: "granted-title" }, "Granted by the broker (CONNACK)"), h("table", { id: "granted" }, body));
  return () => {
    const granted = connection.client.connection ?? {};
    for (const member of Object.keys(granted)) if (!cells.has(member)) body.append(row(member));
    for (const [member, cell] of cells) {
      const text = MEMBERS[member]?.[2] ?? String;
      cell.textContent = Object.hasOwn(granted, member) ? text(granted[member]) : "–";
    }
  };
}

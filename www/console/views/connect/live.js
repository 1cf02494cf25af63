import { sizeOf } from "../../core/payload.js";
import { button, h } from "../../ui/dom.js";
import { RoundTripChart } from "./round-trip.js";

const perSecond = (rate) => `${rate >= 10 || rate === 0 ? Math.round(rate).toLocaleString() : rate.toFixed(1)}/s`;

/** The counters: the title, and the text. @type {[title: string, text: (stats: import("../../../iot.js").Stats, rate: (name: any) => number) => string][]} */
const COUNTERS = [
  ["Messages in", ({ messagesIn }, rate) => `${messagesIn.toLocaleString()} (${perSecond(rate("messagesIn"))})`],
  ["Messages out", ({ messagesOut }, rate) => `${messagesOut.toLocaleString()} (${perSecond(rate("messagesOut"))})`],
  ["Bytes in", ({ bytesIn }, rate) => `${sizeOf(bytesIn)} (${sizeOf(Math.round(rate("bytesIn")))}/s)`],
  ["Bytes out", ({ bytesOut }, rate) => `${sizeOf(bytesOut)} (${sizeOf(Math.round(rate("bytesOut")))}/s)`],
  ["Not acknowledged yet", ({ inflight }) => inflight.toLocaleString()],
  ["Waiting to be sent", ({ queued }) => queued.toLocaleString()],
  ["Subscriptions", ({ subscriptions }) => subscriptions.toLocaleString()],
  ["Connections made", ({ connects }) => connects.toLocaleString()],
];

/**
 * The state, the countdown to the next attempt, the credentials, the round trip and the counters. Returns a function that
 * draws them.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mountLive(root, { connection, commands, run }) {
  const { client, samples } = connection;
  const summary = h("p", { id: "summary" });
  const reconnect = button("Reconnect", () => run(() => connection.reconnect()), { id: "reconnect" });
  commands.add({ id: "reconnect", title: "Connect: reconnect now", run: () => run(() => connection.reconnect()) });
  const credential = h("p", { id: "credential", class: "small" });
  const chart = new RoundTripChart();
  const counters = h("dl", { id: "counters" });
  root.append(h("div", { class: "row head" }, h("h2", { id: "live-title" }, "Connection"), h("span", { class: "grow" }), reconnect), summary, credential, chart.element, counters);

  const cells = COUNTERS.map(([name]) => {
    const cell = h("dd", {}, "–");
    counters.append(h("dt", {}, name), cell);
    return cell;
  });

  return () => {
    const wait = connection.nextAttempt === undefined ? 0 : Math.max(0, Math.ceil((connection.nextAttempt - performance.now()) / 1000));
    const where = `${connection.profile.name}${connection.host ? ` (${connection.host})` : ""}`;
    const text = {
      idle: "There is no connection yet.",
      connecting: connection.nextAttempt === undefined ? `Connecting with ${where} …` : `Not connected with ${where}. Next attempt in ${wait} s.`,
      connected: `Connected with ${where}.`,
      reconnecting: connection.nextAttempt === undefined ? `Reconnecting with ${where} …` : `The connection with ${where} was lost. Next attempt in ${wait} s.`,
      closed: `Closed. The profile is ${connection.profile.name}.`,
    }[client.state];
    if (summary.textContent !== text) summary.textContent = text;
    reconnect.textContent = connection.active ? (connection.nextAttempt === undefined ? "Reconnect" : "Try now") : "Connect";
    credential.textContent = credentialText(connection.credential) || "No AWS credentials were used.";
    chart.draw(samples.list);
    const { last } = samples;
    if (!last) return;
    COUNTERS.forEach(([, text], i) => {
      const value = text(last.stats, (name) => samples.rateOf(name));
      if (cells[i].textContent !== value) cells[i].textContent = value;
    });
  };
}

/** Returns how long credentials are valid, without a secret. @param {import("../../core/profiles/options.js").Credential} credential */
function credentialText({ keyId, expiration, issued }) {
  const now = Date.now(), parts = [];
  if (keyId) parts.push(`Access key ${keyId}.`);
  if (expiration) parts.push(expiration.getTime() > now ? `It expires in ${durationOf(expiration.getTime() - now)}, at ${expiration.toLocaleString()}.` : `It expired ${durationOf(now - expiration.getTime())} ago.`);
  if (issued) parts.push(`The URL was signed ${durationOf(Math.max(0, now - issued.getTime()))} ago; AWS accepts it for about five minutes.`);
  return parts.join(" ");
}

/** Returns a duration as text, in its largest two units. @param {number} ms */
function durationOf(ms) {
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} days`;
}

// The console page. It uses only the public API of iot.js.
import iot from "../iot.js";

const $ = (id) => document.getElementById(id);
const MAX_MESSAGES = 500; // messages in the list
const MAX_CHARACTERS = 20_000; // characters of one payload in the list
const COLOURS = ["#2f6fde", "#c2571a", "#2b8a57", "#8a4fc9", "#b83280", "#0f8b9c", "#9a7b0a", "#c0392b"];

const state = $("state"), detail = $("detail"), problem = $("problem"), connectButton = $("link");
const list = $("messages");
let received = 0;
let paused = false;
let local; // the content of local.json

/** Shows an error above the page. Hides the last one if error is undefined. */
function showError(error) {
  problem.textContent = error ? `${error.code ? `${error.code}: ` : ""}${error.message}` : "";
  problem.hidden = !error;
}

/** Runs the action of a button and shows its error. Disables the button while the action runs. */
async function run(work, button) {
  if (button) button.disabled = true;
  showError();
  try {
    await work();
  } catch (error) {
    showError(error);
  } finally {
    if (button) button.disabled = false;
  }
}

/** Returns the content of local.json, which describes the local stand-in. */
async function settings() {
  const response = await fetch("local.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`local.json: HTTP ${response.status}; open this page through serve.go`);
  return response.json();
}

/** Connects to the local stand-in. Subscribes to all topics if the list of subscriptions is empty. */
async function connect() {
  local = await settings();
  // The local stand-in creates new keys at each start, so each attempt fetches the current ones.
  const credentials = async () => (await settings()).credentials;
  await iot.connect({ endpoint: local.endpoint, region: local.region, credentials });
  if (subscriptions.size === 0) await subscribe("#", 1);
}

/** Shows the state of the client, and the action of the button. */
function showState() {
  state.textContent = iot.state;
  state.dataset.state = iot.state;
  connectButton.textContent = iot.state === "closed" || iot.state === "idle" ? "Connect" : "Disconnect";
}

iot.addEventListener("connecting", ({ detail: { attempt } }) => {
  showState();
  detail.textContent = attempt > 1 ? `attempt ${attempt}` : "";
});
iot.addEventListener("connected", ({ detail: { clientId } }) => {
  showState();
  showError();
  detail.textContent = `${local ? `to ${new URL(local.endpoint).host} ` : ""}as ${clientId}`;
});
iot.addEventListener("disconnected", ({ detail: { error, retryInMs } }) => {
  showState();
  if (error) showError(error);
  detail.textContent = retryInMs === undefined ? "" : `trying again in ${Math.ceil(retryInMs / 1000)} s`;
});
iot.addEventListener("closed", ({ detail: { error } }) => {
  showState();
  if (error) showError(error);
  detail.textContent = "";
});

// ---- subscriptions

const subscriptions = new Map(); // filter → { subscription, item }
let created = 0; // the number of subscriptions so far, for the next colour

/** Subscribes and adds the subscription to the list, unless the list contains the filter. */
async function subscribe(filter, qos) {
  if (subscriptions.has(filter)) return;
  const colour = COLOURS[created++ % COLOURS.length];
  const subscription = await iot.subscribe(filter, (message) => addMessage(message, filter, colour), { qos });
  const item = document.createElement("li");
  item.style.setProperty("--tag", colour);
  const remove = button("×", `Unsubscribe from ${filter}`);
  item.append(span("topic", filter), span("dim", `QoS ${subscription.qos}`), remove);
  remove.addEventListener("click", () => run(() => subscription.unsubscribe(), remove));
  $("subscriptions").append(item);
  subscriptions.set(filter, { subscription, item });
  subscription.closed.then((error) => {
    item.remove();
    subscriptions.delete(filter);
    if (error) showError(error);
  });
}

$("subscribe").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const { filter, qos } = form.elements;
  run(async () => {
    await subscribe(filter.value, Number(qos.value));
    filter.value = "";
  }, form.querySelector("button"));
});

// ---- messages

/** Adds a message to the list. colour marks its subscription. */
function addMessage(message, filter, colour) {
  $("count").textContent = String(++received);
  if (paused) return;
  $("empty").hidden = true;
  const item = document.createElement("li");
  item.style.setProperty("--tag", colour);
  const time = document.createElement("time");
  const now = new Date();
  time.dateTime = now.toISOString();
  time.textContent = now.toLocaleTimeString();
  const notes = [`QoS ${message.qos}`, message.retain && "retained", message.contentType, `${message.payload.length} B`];
  const payload = document.createElement("pre");
  payload.className = "payload";
  payload.textContent = payloadText(message);
  item.append(time, span("topic", message.topic), span("meta", notes.filter(Boolean).join(" · ")), payload);
  item.title = `for ${filter}`;
  list.prepend(item);
  while (list.children.length > MAX_MESSAGES) list.lastElementChild.remove();
}

/** Returns the payload as text, or as hexadecimal bytes if it is not UTF-8. */
function payloadText(message) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(message.payload);
  } catch {
    text = Array.from(message.payload.subarray(0, MAX_CHARACTERS / 3), (b) => b.toString(16).padStart(2, "0")).join(" ");
  }
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}\n… and ${text.length - MAX_CHARACTERS} more characters` : text;
}

$("clear").addEventListener("click", () => {
  list.replaceChildren();
  received = 0;
  $("count").textContent = "0";
  $("empty").hidden = false;
});
$("pause").addEventListener("click", ({ currentTarget: b }) => {
  paused = !paused;
  b.setAttribute("aria-pressed", String(paused));
  b.textContent = paused ? "Resume" : "Pause";
});

// ---- publishing

const publish = $("publish");
publish.addEventListener("submit", (event) => {
  event.preventDefault();
  const { topic, payload, qos, retain } = publish.elements;
  run(
    () => iot.publish(topic.value, payload.value, { qos: Number(qos.value), retain: retain.checked }),
    publish.querySelector("button"),
  );
});
publish.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) publish.requestSubmit();
});

// ---- buttons and elements

connectButton.addEventListener("click", () => run(iot.state === "closed" || iot.state === "idle" ? connect : () => iot.disconnect()));

$("copy").addEventListener("click", async ({ currentTarget: b }) => {
  try {
    await navigator.clipboard.writeText($("line").textContent);
    b.textContent = "Copied";
    setTimeout(() => (b.textContent = "Copy"), 1500);
  } catch {
    getSelection().selectAllChildren($("line"));
  }
});

function span(className, text) {
  const s = document.createElement("span");
  s.className = className;
  s.textContent = text;
  return s;
}

function button(text, label) {
  const b = document.createElement("button");
  b.type = "button";
  b.textContent = text;
  b.setAttribute("aria-label", label);
  return b;
}

showState();
run(connect);

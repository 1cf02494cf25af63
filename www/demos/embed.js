// The script of embed.html. The policy of that page allows no inline script.
import { showProblem, showState } from "./demos.js";

// The server is the local stand-in. Everyone is a guest of its identity pool, so this page contains no key.
const local = await (await fetch("../local.json")).json();
const server = { endpoint: local.endpoint, region: local.region, credentials: cognito(local.cognito) };

const publish = document.querySelector("#publish");
const module = document.querySelector("#module");

// ---- the start: the hashes of the module are in the page

/** Loads the wasm, and connects. */
async function start() {
  if (!globalThis.iot) throw notLoaded("iot.global.js");
  showState(iot);
  await iot.load({ integrity: module.dataset.wasmIntegrity }).catch(() => {
    throw notLoaded("iot.wasm");
  });
  await iot.connect(server);
  document.querySelector("#origins").textContent = `This page is from ${location.origin}. iot.wasm ${iot.version} is from ${new URL(module.src).origin}.`;
  await iot.subscribe("public/sample/#", showMessage, { qos: 1 });
}

/** Shows that the module is not loaded, and returns the error for the file that the browser has refused. */
function notLoaded(file) {
  Object.assign(document.querySelector("#state"), { textContent: "Not loaded" }).dataset.state = "lost";
  return new Error(`The browser has refused ${file}. Its hash differs from the hash in this page, or it was not found. The console of the browser shows the reason.`);
}

/** Returns a function that gets the temporary keys of a guest. The module cognito.js does the same, also for signed-in users. */
function cognito({ identityPoolId, endpoint = `https://cognito-identity.${identityPoolId.split(":")[0]}.amazonaws.com` }) {
  let identity;
  async function call(action, body) {
    const headers = { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": `AWSCognitoIdentityService.${action}` };
    const response = await fetch(endpoint, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${action} has failed with the status ${response.status}.`);
    return response.json();
  }
  return async () => {
    identity ??= await call("GetId", { IdentityPoolId: identityPoolId });
    const { Credentials: keys } = await call("GetCredentialsForIdentity", { IdentityId: identity.IdentityId });
    return { accessKeyId: keys.AccessKeyId, secretAccessKey: keys.SecretKey, sessionToken: keys.SessionToken };
  };
}

// ---- the messages

// Publish: without a connection, a message of QoS 1 waits until the client has connected again.
publish.addEventListener("submit", (event) => {
  event.preventDefault();
  showProblem();
  globalThis.iot?.publish("public/sample/embed", publish.elements.message.value, { qos: 1 }).catch(showProblem);
});

/** Adds a message to the list. */
function showMessage(message) {
  addTo("#messages", `${message.topic}: ${message.text()}`);
}

/** Adds a text to the start of a list, which keeps the newest ten. */
function addTo(selector, text) {
  const items = document.querySelector(selector);
  const item = document.createElement("li");
  item.textContent = text;
  items.prepend(item);
  if (items.children.length > 10) items.lastElementChild.remove();
}

// ---- what the policy refuses

/** Adds a script to the page. */
function addScript(script) {
  document.body.append(Object.assign(document.createElement("script"), script));
}

const attacks = document.querySelector("#attacks").elements;
attacks.inline.addEventListener("click", () => addScript({ textContent: "globalThis.broken = true" }));
attacks.foreign.addEventListener("click", () => addScript({ src: "https://example.com/script.js" }));
attacks.send.addEventListener("click", () => fetch("https://example.com/").catch(() => {}));

// The browser reports each refusal with an event.
document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
  addTo("#refused", `Refused by ${effectiveDirective}: ${blockedURI}`);
});

await start().catch(showProblem);

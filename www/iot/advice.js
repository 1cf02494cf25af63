/**
 * The finding of a step of diagnose.js. The default of status is "ok". If blocks is true, the steps that need this one are skipped;
 * its default is whether the step failed. The other members are those of the result.
 * @typedef {object} Finding
 * @property {import("../diagnose.js").DiagnoseStatus} [status]
 * @property {string} text
 * @property {string} [code]
 * @property {number} [reasonCode]
 * @property {boolean} [blocks]
 * @property {number} [skewMs]
 * @property {number} [roundTripMs]
 */

/**
 * What to change, by the code of a finding of diagnose.js. In a text, % stands for the address of the endpoint without its scheme.
 * @type {Record<string, string>}
 */
const ADVICE = {
  // @ts-ignore A code of the page's provider must not match an inherited member.
  __proto__: null,
  ERR_LOAD: "Serve iot.wasm in the folder of iot.js with the type application/wasm, or pass its address to load(). In a checkout, run: make wasm",
  ERR_VERSION: "Deploy iot.js and iot.wasm of one build together, and clear the browser's cache.",
  ERR_NO_WASM: "Switch on WebAssembly in the browser. Some browsers switch it off in a mode of high security.",
  ERR_CSP: "Add wss://% and https://% to connect-src of the page's Content-Security-Policy, and 'wasm-unsafe-eval' to script-src.",
  ERR_OPTION: "Correct the options of connect().",
  ERR_ENDPOINT: "Use the name that this command prints: aws iot describe-endpoint --endpoint-type iot:Data-ATS",
  ERR_REGION: "Set the option region to the AWS region of the endpoint.",
  ERR_URL: "Pass the URL that presign() returns, or a function that returns a new one for each attempt.",
  ERR_OFFLINE: "Connect the machine to a network.",
  ERR_UNREACHABLE: "Check the name (aws iot describe-endpoint --endpoint-type iot:Data-ATS) and the port. Open https://% in a tab: the browser shows whether the name is unknown, the port is closed, or it does not trust the certificate.",
  ERR_UPGRADE: "Check the path of the endpoint, and any proxy between this machine and the endpoint.",
  ERR_OPEN_TIMEOUT: "Check whether a firewall or a proxy delays WebSockets.",
  ERR_WEBSOCKET: "Use wss: in a page that was loaded by HTTPS.",
  ERR_CLOCK_SKEW: "Set the clock of this machine. Until then, the client signs with the time of the endpoint if it can read it; a URL that was signed elsewhere needs no change.",
  ERR_CREDENTIALS: "Look into the browser's console for the error of the function, or call it by itself. It must return accessKeyId and secretAccessKey, or a wss:// URL.",
  ERR_CREDENTIALS_EXPIRED: "Pass a function that returns new credentials to connect(), for example cognito(). If the credentials are new, check the clock.",
  ERR_SIGN: "Check accessKeyId, secretAccessKey and region.",
  ERR_SIGNATURE: "Check secretAccessKey and sessionToken, and that region is the one of the endpoint. An endpoint that requires a signature needs the option credentials or url.",
  ERR_SIGNATURE_EXPIRED: "Pass a function that returns a new URL for each attempt. AWS IoT Core accepts a URL for five minutes.",
  ERR_ACCESS_KEY: "Check accessKeyId and sessionToken. Temporary credentials need both, and all values of one answer.",
  ERR_FORBIDDEN: "Check the name, the token and the signature of the authorizer, and its log.",
  ERR_BAD_PASSWORD: "Check username and password.",
  ERR_CLIENT_ID: "Choose another clientId. AWS IoT Core accepts at most 128 bytes, and no $ at the start.",
  ERR_PROTOCOL_VERSION: "Use a broker that supports MQTT 5.",
  ERR_NOT_AUTHORIZED: "Allow the client id in the broker's configuration.",
  ERR_SUPERSEDED: "Give each page a clientId of its own, or omit the option.",
  ERR_CONNECTION_LOST: "Run the diagnosis again. If the connection ends again, look for a proxy or a firewall that closes WebSockets.",
  ERR_QOS_NOT_SUPPORTED: "Use the QoS that the broker accepts: see connection.maximumQoS.",
  ERR_RETAIN_NOT_SUPPORTED: "Publish without retain, or switch on retained messages in the broker's configuration.",
  ERR_PUBLISH_REFUSED: "Allow clients to publish to the topic in the broker's configuration.",
  ERR_SUBSCRIBE_REFUSED: "Allow clients to subscribe to the filter in the broker's configuration.",
  ERR_DIAGNOSE_TIMEOUT: "Run the diagnosis again. If the time passes again, look for a proxy, a firewall or a slow network, or raise timeoutMs.",
  ERR_DIAGNOSE_NOT_RECEIVED: "Allow clients to receive the messages of the topic in the broker's configuration.",
  ERR_DIAGNOSE_NOT_RETAINED: "Switch on retained messages in the broker's configuration.",
  ERR_DIAGNOSE_SLOW: "Use an endpoint in a nearer region, or a faster network.",
};
ADVICE.ERR_DISCONNECTED = ADVICE.ERR_CONNECTION_LOST;

/**
 * Returns what to change for a finding.
 * @param {string} code
 * @param {string} address the host and the path of the endpoint
 * @param {boolean} policy whether the finding has a policy statement
 * @param {boolean} ownTopic whether the finding concerns a topic that the page has not named
 */
export function adviceFor(code, address, policy, ownTopic) {
  let advice = (ADVICE[code] ?? `The documentation of errors describes ${code}.`).replaceAll("%", address);
  if (policy) {
    advice = "Add the statement to the policy of the credentials: that of the IAM role, and for a signed-in Cognito identity also the AWS IoT policy that is attached to it. With a custom authorizer, it is the policy that the authorizer returns.";
    if (code.endsWith("ATTRIBUTES")) advice += " Or set sessionExpiry: 0, and omit will.";
  }
  if (ownTopic) advice += " The test used a topic of its own: name one of your topics with the option topic.";
  return advice;
}

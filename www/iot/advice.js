/**
 * The finding of a step of diagnose.js. The default of status is "ok". If blocks is true, the steps that need this one are skipped;
 * its default is whether the step failed. The other members are those of the result.
 * @typedef {object} Finding
 * @property {import("../diagnose.js").DiagnoseStatus} [status]
 * @property {string} text
 * @property {string} [code]
 * @property {string} [advice] the advice in the message of an error
 * @property {number} [reasonCode]
 * @property {boolean} [blocks]
 * @property {number} [skewMs]
 * @property {number} [roundTripMs]
 */

const PROVIDER = "Call the function of the option credentials or url by itself, to see its error.";
const BROKER = "Change the permissions in the configuration of the broker.";
const AGAIN = "Run the diagnosis again. If the result is the same, look for a proxy, a firewall or a slow network.";

/**
 * What to change, by the code of a finding. In a text, % stands for the address of the endpoint without its scheme. The codes of other
 * errors of the client are missing: their messages contain the advice.
 * @type {Record<string, string>}
 */
const ADVICE = {
  // @ts-ignore The code of a provider's error must not match an inherited member.
  __proto__: null,
  ERR_LOAD: "Serve iot.wasm in the folder of iot.js. In a checkout, run make wasm.",
  ERR_NO_WASM: "Switch on WebAssembly in the browser.",
  ERR_OPTION: "Correct the options of connect().",
  ERR_ENDPOINT: "Use the name that aws iot describe-endpoint --endpoint-type iot:Data-ATS prints.",
  ERR_REGION: "Set the option region.",
  ERR_URL: "Pass the URL that presign() returns.",
  ERR_OFFLINE: "Connect the machine to a network.",
  ERR_UNREACHABLE: "Open https://% in a tab: the browser shows whether the name is wrong, the port is closed, or it does not trust the certificate.",
  ERR_CLOCK_SKEW: "Set the clock of this machine. Until then, the client signs with the time of the endpoint.",
  ERR_CREDENTIALS: PROVIDER,
  ERR_CREDENTIALS_TIMEOUT: PROVIDER,
  ERR_CREDENTIALS_EXPIRED: "Pass a function that returns new credentials, for example cognito().",
  ERR_SIGN: "Correct the credentials.",
  ERR_FORBIDDEN: "Check the name, the token and the signature of the authorizer.",
  ERR_PROTOCOL_VERSION: "Use a broker that supports MQTT 5.",
  ERR_RETAIN_NOT_SUPPORTED: BROKER,
  ERR_PUBLISH_REFUSED: BROKER,
  ERR_SUBSCRIBE_REFUSED: BROKER,
  ERR_CONNECTION_LOST: AGAIN,
  ERR_DISCONNECTED: AGAIN,
  ERR_OPEN_TIMEOUT: AGAIN,
  ERR_REFUSED: AGAIN,
  ERR_DIAGNOSE_TIMEOUT: AGAIN,
  ERR_DIAGNOSE_NOT_RECEIVED: BROKER,
  ERR_DIAGNOSE_NOT_RETAINED: "Switch on retained messages in the configuration of the broker.",
  ERR_DIAGNOSE_SLOW: "Use an endpoint in a nearer region, or a faster network.",
};

/** Returns a sentence. @param {string} text */
const sentence = (text) => text.slice(0, 1).toUpperCase() + text.slice(1).replace(/\.*$/, ".");

/**
 * Divides the message of an error into a sentence and the advice that follows it.
 * @param {unknown} message
 * @returns {[text: string, advice?: string]}
 */
export function divide(message) {
  const [text, ...advice] = String(message).split(/; |: (?=check )/);
  return [sentence(text), advice[0] && sentence(advice.join("; "))];
}

/**
 * Returns what to change for a finding.
 * @param {Finding & { code: string }} finding
 * @param {string} address the host and the path of the endpoint
 * @param {boolean} policy whether the finding has a policy statement
 * @param {boolean} ownTopic whether the statement concerns a topic that the page has not named
 */
export function adviceFor({ code, advice }, address, policy, ownTopic) {
  if (!policy) {
    if (code === "ERR_CSP" && address) return `Add wss://${address} and https://${address} to connect-src of the page's Content-Security-Policy.`;
    return ADVICE[code]?.replaceAll("%", address) ?? advice ?? `See ${code} in docs/errors.md.`;
  }
  return `Add the statement to the policy of the IAM role or of the authorizer, and for a signed-in Cognito identity also to the attached AWS IoT policy.${
    /ATTRIBUTES$/.test(code) ? " Or set sessionExpiry: 0, and omit will." : ""}${ownTopic ? " To test a topic of yours, name it with the option topic." : ""}`;
}

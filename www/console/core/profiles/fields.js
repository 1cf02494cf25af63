/**
 * A field of a profile. Its value is a text, or a boolean for the type "check".
 * @typedef {object} Field
 * @property {string} name the member of the profile that has the value
 * @property {string} label
 * @property {"text" | "area" | "secret" | "number" | "check" | "select" | "pairs" | "time"} type
 * @property {string} [option] the option of connect() that has the value, like "will.topic"
 * @property {boolean} [required]
 * @property {string} [hint] one sentence below the field
 * @property {string} [placeholder] the default, or an example
 * @property {[least: number, most: number]} [range] the bounds of a number
 * @property {[value: string, label: string, option?: unknown][]} [choices] the choices of a select, with the value of the option if it is not the text
 */

/**
 * A kind of profile.
 * @typedef {{ title: string, about: string, fields: Field[] }} Kind
 */

const MAX = 4_294_967_295, DAY = 86_400_000;

/** @type {Field} */
const ENDPOINT = {
  name: "endpoint", label: "Endpoint", type: "text", option: "endpoint", required: true, placeholder: "xxxxxxxx-ats.iot.eu-west-1.amazonaws.com",
  hint: "A host name, or a URL like wss://host:port/mqtt. “aws iot describe-endpoint --endpoint-type iot:Data-ATS” prints it.",
};
/** @type {Field} */
const REGION = { name: "region", label: "Region", type: "text", option: "region", placeholder: "from the endpoint", hint: "Only needed if the name of the endpoint contains no region." };
/** @type {Field} */
const USERNAME = { name: "username", label: "User name", type: "text", option: "username" };
/** @type {Field} */
const PASSWORD = { name: "password", label: "Password", type: "secret", option: "password" };

/** The kinds of profile. They connect in different ways, so each has its own fields. @type {Record<string, Kind>} */
export const KINDS = {
  local: {
    title: "Local stand-in", fields: [],
    about: "The broker of “go run serve.go” at the address of this page. The page reads the endpoint and the keys from local.json.",
  },
  cognito: {
    title: "AWS with Cognito",
    about: "An identity pool of Amazon Cognito returns temporary credentials, for a guest or for a signed-in user. The page needs no key.",
    fields: [
      ENDPOINT, REGION,
      { name: "pool", label: "Identity pool", type: "text", required: true, placeholder: "eu-west-1:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" },
      { name: "provider", label: "Login provider", type: "text", placeholder: "accounts.google.com", hint: "For a signed-in user. Leave it empty to connect as a guest." },
      { name: "login", label: "Token of the login provider", type: "secret" },
      { name: "cognito", label: "URL of Cognito", type: "text", placeholder: "that of the region", hint: "Only needed for a local Cognito, like /cognito of the stand-in." },
    ],
  },
  keys: {
    title: "AWS with keys",
    about: "Keys that AWS STS or IAM Identity Center has issued. Use temporary keys: every key in a page can be read by its scripts.",
    fields: [
      ENDPOINT, REGION,
      { name: "accessKeyId", label: "Access key id", type: "text", option: "credentials.accessKeyId", required: true, placeholder: "ASIA…", hint: "Paste the output of “aws sts get-session-token”, or lines with AWS_ACCESS_KEY_ID=…, to fill all four fields." },
      { name: "secretAccessKey", label: "Secret access key", type: "secret", option: "credentials.secretAccessKey", required: true },
      { name: "sessionToken", label: "Session token", type: "secret", option: "credentials.sessionToken" },
      { name: "expiration", label: "Expiration", type: "time", option: "credentials.expiration", hint: "The page then shows how long the keys are valid." },
    ],
  },
  authorizer: {
    title: "AWS with a custom authorizer",
    about: "A Lambda function in AWS decides by a token, or by a user name and a password.",
    fields: [
      ENDPOINT,
      { name: "authorizer", label: "Authorizer", type: "text", option: "authorizer.name", placeholder: "the default authorizer of the account" },
      { name: "tokenKeyName", label: "Name of the token key", type: "text", option: "authorizer.tokenKeyName", hint: "The page sends the token only with this name." },
      { name: "token", label: "Token", type: "secret", option: "authorizer.token" },
      { name: "tokenSignature", label: "Signature of the token", type: "secret", option: "authorizer.tokenSignature", hint: "In Base64." },
      USERNAME, PASSWORD,
    ],
  },
  presigned: {
    title: "Signed URL from a backend",
    about: "A backend signs the URL, so that no key is in the page. The page asks it again for each attempt to connect.",
    fields: [
      { name: "backend", label: "URL of the backend", type: "text", placeholder: "/api/iot-url", hint: "It answers GET with the signed URL, as text or in JSON. It must allow requests from this page (CORS)." },
      { name: "member", label: "JSON member", type: "text", placeholder: "url", hint: "The member of the answer that is the signed URL, like data.url." },
      { name: "url", label: "Signed URL", type: "secret", option: "url", hint: "Instead of a backend. AWS accepts it for about five minutes." },
      USERNAME, PASSWORD,
    ],
  },
  broker: {
    title: "MQTT 5 broker by URL",
    about: "Any broker that speaks MQTT 5 over WebSocket: Mosquitto, EMQX, HiveMQ and others.",
    fields: [
      { name: "endpoint", label: "URL", type: "text", option: "endpoint", required: true, placeholder: "wss://broker.example.com:8084/mqtt", hint: "The default path is /mqtt. A page that was loaded over https needs wss." },
      USERNAME, PASSWORD,
    ],
  },
};

/** @type {(name: string, label: string, option: string, most: number, placeholder: string, more?: Partial<Field>) => Field} */
const number = (name, label, option, most, placeholder, more) => ({ name, label, type: "number", option, range: [0, most], placeholder, ...more });
/** @type {(name: string, label: string, option: string, more?: Partial<Field>) => Field} */
const text = (name, label, option, more) => ({ name, label, type: "text", option, ...more });

/** The fields of all kinds, in groups. An empty field has the default of the library. @type {{ title: string, fields: Field[] }[]} */
export const ADVANCED = [
  {
    title: "Session", fields: [
      text("clientId", "Client id", "clientId", { placeholder: "iot-…", hint: "Leave it empty, so that each tab has its own. A client with the same id ends the connection of the other one." }),
      number("keepAlive", "Keep-alive (s)", "keepAlive", 65_535, "120"),
      { name: "cleanStart", label: "Clean start", type: "select", option: "cleanStart", choices: [["", "Yes: a new session"], ["no", "No: resume the session", false]] },
      number("sessionExpiry", "Session expiry (s)", "sessionExpiry", MAX, "300", { hint: "How long the broker keeps the session after the connection has ended." }),
      { name: "connectProperties", label: "User properties of CONNECT", type: "pairs", option: "userProperties", placeholder: "name=value", hint: "One on each line." },
    ],
  },
  {
    title: "Will", fields: [
      text("willTopic", "Topic of the will", "will.topic", { hint: "The broker publishes the will if the connection ends without DISCONNECT." }),
      { name: "willPayload", label: "Payload of the will", type: "area", option: "will.payload" },
      { name: "willQos", label: "QoS of the will", type: "select", option: "will.qos", choices: [["", "0", undefined], ["1", "1", 1], ["2", "2", 2]] },
      { name: "willRetain", label: "Retain the will", type: "check", option: "will.retain" },
      { name: "willUtf8", label: "Mark the payload as UTF-8", type: "check", option: "will.utf8" },
      number("willDelay", "Delay of the will (s)", "will.delay", MAX, "5"),
      number("willExpiry", "Expiry of the will (s)", "will.messageExpiry", MAX, "none"),
      text("willContentType", "Content type of the will", "will.contentType", { placeholder: "application/json" }),
      text("willResponseTopic", "Response topic of the will", "will.responseTopic"),
      text("willCorrelation", "Correlation data of the will", "will.correlationData", { hint: "Text, sent as UTF-8." }),
      { name: "willProperties", label: "User properties of the will", type: "pairs", option: "will.userProperties", placeholder: "name=value", hint: "One on each line." },
    ],
  },
  {
    title: "Reconnect", fields: [
      { name: "reconnect", label: "After a failure or a loss", type: "select", option: "reconnect", choices: [["", "Connect again"], ["off", "Close", false]] },
      number("minDelay", "Shortest delay (ms)", "reconnect.minDelayMs", DAY, "1000"),
      number("maxDelay", "Longest delay (ms)", "reconnect.maxDelayMs", DAY, "120000"),
      number("stableAfter", "Stable after (ms)", "reconnect.stableAfterMs", DAY, "30000", { hint: "The loss of a connection that has lasted longer counts as the first failure." }),
      number("maxAttempts", "Most attempts in a row", "reconnect.maxAttempts", Number.MAX_SAFE_INTEGER, "no limit"),
    ],
  },
  {
    title: "Publishing without a connection", fields: [
      number("queueMessages", "Most messages in the queue", "offline.maxMessages", MAX, "1000"),
      number("queueBytes", "Most bytes in the queue", "offline.maxBytes", MAX, "1048576"),
      { name: "overflow", label: "When the queue is full", type: "select", option: "offline.overflow", choices: [["", "Reject the new message"], ["drop-oldest", "Drop the oldest message"]] },
      { name: "offlineQos0", label: "Messages of QoS 0", type: "select", option: "offline.qos0", choices: [["", "Reject"], ["queue", "Queue"], ["drop", "Drop"]] },
    ],
  },
  {
    title: "Limits", fields: [
      { name: "quotas", label: "Quotas of AWS IoT Core", type: "select", option: "quotas", choices: [["", "Only for endpoints of AWS"], ["aws", "Keep them"], ["none", "Ignore them"]] },
      number("ackTimeout", "Time for an acknowledgement (ms)", "ackTimeoutMs", DAY, "60000"),
      number("unclaimedTimeout", "Hold unmatched messages for (ms)", "unclaimedTimeoutMs", DAY, "10000"),
    ],
  },
];

/** All fields of a kind. @param {string} kind */
export const fieldsOf = (kind) => [...KINDS[kind].fields, ...ADVANCED.flatMap(({ fields }) => fields)];

/** The names of all fields that are secret. A name is secret in each kind that has it, or in none. */
export const SECRETS = new Set(Object.values(KINDS).flatMap(({ fields }) => fields).filter(({ type }) => type === "secret").map(({ name }) => name));

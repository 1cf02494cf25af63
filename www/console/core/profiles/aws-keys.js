const NAMES = { accesskeyid: "accessKeyId", secretaccesskey: "secretAccessKey", sessiontoken: "sessionToken", expiration: "expiration", credentialexpiration: "expiration" };

/**
 * Finds AWS keys in a text: the JSON of the AWS CLI, lines like `export AWS_ACCESS_KEY_ID=…` of a shell or PowerShell, or a section of
 * the file ~/.aws/credentials. Returns the values of the fields of a profile, or undefined if the text has no such keys.
 * @param {string} text
 * @returns {Record<string, string> | undefined}
 */
export function readKeys(text) {
  const keys = {};
  for (const [, name, value] of text.replaceAll(/\$env:/gi, "").matchAll(/["']?\b((?:AWS_)?\w+)["']?\s*[=:]\s*["']?([^\s"',;]+)/gi)) {
    const field = NAMES[name.toLowerCase().replace(/^aws_/, "").replaceAll("_", "")];
    if (field) keys[field] = field === "expiration" ? localTime(value) : value;
  }
  return keys.accessKeyId && keys.secretAccessKey ? keys : undefined;
}

/** Returns a time in the form of <input type="datetime-local">; "" if it is none. @param {string} text */
function localTime(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

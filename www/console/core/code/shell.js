/** Returns a text as one word of a POSIX shell. @param {string} text */
export function shellWord(text) {
  return /^[\w:./=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * Returns the options of the AWS CLI that select the server of the page. They are empty if the server is AWS in the
 * default region of the CLI.
 * @param {import("../connection.js").Connection} connection
 */
export function cliOptions({ profile, host }) {
  if (profile.kind === "local") return `--endpoint-url ${location.origin}`;
  const region = regionOf(host);
  return region ? `--region ${region}` : "";
}

/** Returns the region in the host of an endpoint of AWS IoT Core, or undefined. @param {string} host */
export function regionOf(host) {
  return /\.iot\.([a-z0-9-]+)\.amazonaws\.com/.exec(host)?.[1];
}

// What all scripts of this folder share: the address of the stand-in, the keys, and the lines that the
// Go test reads.

/**
 * The settings that the Go test passes in the environment variable STAND_IN: host, port, region,
 * accessKeyId, secretAccessKey, ca (the certificate of the stand-in, PEM), url (https, without a path),
 * path (/mqtt with a signature, for clients without a signer), thing (also the client id), job (a queued
 * job of the thing), cognito (the endpoint of the identity pool), pool (its id) and authorizer (a custom
 * authorizer: name, tokenKeyName, token and signature).
 */
export const standIn = JSON.parse(process.env.STAND_IN);

/** The long-term keys as the clients of the SDK for JavaScript v3 take them. */
export const credentials = { accessKeyId: standIn.accessKeyId, secretAccessKey: standIn.secretAccessKey };

/** The options of every client of the SDK for JavaScript v3. */
export const options = { endpoint: standIn.url, region: standIn.region, credentials, maxAttempts: 1 };

/** Writes a line for the Go test, which compares it with the expected line. */
export function report(step, value = null) {
  console.log(JSON.stringify([step, value]));
}

/** Ends the script. Some clients would otherwise keep it running. */
export function stopped() {
  report('stopped');
  process.exit(0);
}

/** Ends the script with an error. Clients that reconnect would otherwise hide the first refusal. */
export function fail(error) {
  console.error(error);
  process.exit(1);
}

/** Returns a promise and the function that resolves it. */
export function expectation() {
  let resolve;
  const promise = new Promise((r) => { resolve = r; });
  return [promise, resolve];
}

/** Decodes a payload: a Buffer, a Uint8Array or an ArrayBuffer. */
export function text(payload) {
  return new TextDecoder().decode(payload);
}

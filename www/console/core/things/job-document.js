// Job documents: the examples of the page, and the steps that its simulated device reads from a document.

/** The largest job document, in bytes. Source: AWS IoT Jobs quotas, "Job document length". */
export const MAX_DOCUMENT = 32_768;

const MAX_STEPS = 50;
const MAX_SECONDS = 60;

/** A step of a simulated device. With fail, the step ends with that reason. @typedef {{ name: string, seconds: number, fail?: string }} Step */

const step = (name, seconds, more = {}) => ({ name, seconds, ...more });

/** The examples, by their titles. */
export const EXAMPLES = {
  "Firmware update": { operation: "firmware-update", version: "1.1.0", steps: [step("Download", 3), step("Verify", 1), step("Install", 3), step("Restart", 2)] },
  "An update that fails": { operation: "firmware-update", version: "1.1.1", steps: [step("Download", 2), step("Verify", 1, { fail: "The checksum is wrong." }), step("Install", 3)] },
  "Rotate a certificate": { operation: "rotate-certificate", steps: [step("Create a key", 1), step("Fetch the certificate", 2), step("Connect with it", 1)] },
  "Reboot": { operation: "reboot" },
};

const DEFAULT_STEPS = [step("Prepare", 1), step("Run", 2), step("Finish", 1)];

/**
 * Returns the steps of a job document. The member "steps" lists them: { name, seconds, fail }, or { action: { name } } as in
 * AWS's job templates. A document without steps has three of a few seconds. Throws an error with the reason for which a
 * device rejects the document.
 * @param {unknown} document
 * @returns {Step[]}
 */
export function stepsOf(document) {
  if (typeof document !== "object" || document === null || Array.isArray(document)) throw new Error("The document is no JSON object.");
  const { steps } = /** @type {any} */ (document);
  if (steps === undefined) return DEFAULT_STEPS;
  if (!Array.isArray(steps) || steps.length === 0) throw new Error("The member steps of the document is no list of steps.");
  if (steps.length > MAX_STEPS) throw new Error(`The document has more than ${MAX_STEPS} steps.`);
  return steps.map((given, i) => {
    const { name, seconds, fail, action } = Object(given);
    const title = typeof name === "string" ? name : typeof action?.name === "string" ? action.name : `Step ${i + 1}`;
    return {
      name: title.slice(0, 100),
      seconds: typeof seconds === "number" ? Math.min(Math.max(seconds, 0), MAX_SECONDS) : 1,
      ...(fail ? { fail: typeof fail === "string" ? fail.slice(0, 500) : "The step failed." } : {}),
    };
  });
}

/** Parses the text of a job document. Throws an error with the reason if it is not valid. @param {string} text */
export function parseDocument(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${error.message}`);
  }
}

/** Returns the progress in status details, 0 to 100, or undefined. @param {Record<string, string> | undefined} details */
export function progressOf(details) {
  const value = Number.parseFloat(details?.progress ?? "");
  return Number.isFinite(value) ? Math.min(100, Math.max(0, value)) : undefined;
}

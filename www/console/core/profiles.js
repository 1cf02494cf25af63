import { kept } from "./storage.js";

/**
 * A profile says where the page connects. `kind` selects how `optionsOf` makes the options of connect() from the other
 * members.
 * @typedef {{ id: string, name: string, kind: string, [member: string]: unknown }} Profile
 */

/** The profile of the local stand-in. It always exists. @type {Profile} */
export const LOCAL = Object.freeze({ id: "local", name: "Local stand-in", kind: "local" });

/** Returns the content of local.json, which describes the local stand-in. */
async function localSettings() {
  const response = await fetch("local.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`local.json: HTTP ${response.status}; serve this page with: go run serve.go`);
  return response.json();
}

/**
 * The kinds of profile. Each function returns the options of connect().
 * @type {Record<string, (profile: Profile) => Promise<import("../../iot.js").ConnectOptions>>}
 */
const KINDS = {
  async local() {
    const { endpoint, region } = await localSettings();
    // The stand-in creates new keys at each start, so each attempt fetches the current ones.
    return { endpoint, region, credentials: async () => (await localSettings()).credentials };
  },
};

/** Returns the options of connect() for a profile. @param {Profile} profile */
export async function optionsOf(profile) {
  return KINDS[profile.kind](profile);
}

/** The stored profiles, with that of the local stand-in first. @returns {Profile[]} */
export function profiles() {
  return [LOCAL, ...kept.get("profiles", [])];
}

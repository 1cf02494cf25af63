import { equal, ok, rejects } from "../expect.js";
import { test } from "../suite.js";

test("version has the form of a version", ({ api }) => ok(/^\d+\.\d+\.\d+/.test(api.version), `${api.version} is a version`));

test("matches follows MQTT's rules", ({ api: { matches } }) => {
  for (const [filter, topic, want] of [
    ["a", "a", true], ["a", "b", false], ["a", "a/", false], ["/", "/", true], ["/a", "a", false],
    ["+", "a", true], ["+", "/a", false], ["+/+", "/a", true], ["a/+", "a", false], ["a/+", "a/", true], ["a/+/c", "a/b/c", true], ["a+", "a+", false],
    ["#", "a/b/c", true], ["a/#", "a", true], ["a/#", "a/", true], ["a/#", "ab", false], ["a/#/b", "a", false], ["a#", "a#", false],
    ["#", "$SYS/a", false], ["+/a", "$SYS/a", false], ["$SYS/#", "$SYS/a", true],
    ["$share/g/a/+", "a/b", true], ["$share/g/+", "b", true], ["$share//a", "a", false], ["$share/g", "a", false], ["$share/+/a", "a", false],
    ["", "a", false], ["a", "", false], ["a", "a/+", false], ["ü/😀", "ü/😀", true], [1, "a", false], ["a", null, false], [undefined, undefined, false],
  ]) equal(matches(filter, topic), want, `matches(${filter}, ${topic})`);
});

test("presign returns the URLs of the golden cases", async (place) => {
  const { cases } = await place.json("/golden.json");
  const chosen = [cases.find((c) => c.sessionToken === null), cases.find((c) => c.sessionToken !== null), cases.find((c) => c.expires !== null)];
  for (const c of chosen) {
    const { accessKeyId, secretAccessKey, region, expires } = c;
    equal(await place.api.presign({
      endpoint: c.url.split("?")[0], region, date: new Date(c.date.replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5")), expires: expires ?? undefined,
      credentials: { accessKeyId, secretAccessKey, sessionToken: c.sessionToken ?? undefined },
    }), c.url, c.name);
  }
});

test("presign has defaults and rejects invalid options", async ({ api: { presign } }) => {
  const options = { endpoint: "x-ats.iot.eu-west-1.amazonaws.com", credentials: { accessKeyId: "a", secretAccessKey: "b" } };
  const url = new URL(await presign(options)); // the defaults are the current date and the endpoint's region
  ok(Math.abs(Date.now() - Date.parse(url.searchParams.get("X-Amz-Date").replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5"))) < 60_000, "the date is the current date");
  ok(url.searchParams.get("X-Amz-Credential").includes("/eu-west-1/iotdevicegateway/"), "the region is the endpoint's");
  equal(url.searchParams.has("X-Amz-Expires"), false);
  await rejects(presign({ ...options, endpiont: "x" }), { name: "TypeError", code: "ERR_OPTION", includes: "did you mean endpoint?" });
  await rejects(presign({ ...options, endpoint: "mine.example" }), { name: "TypeError", code: "ERR_REGION" });
  await rejects(presign({ ...options, endpoint: "ftp://x" }), { name: "TypeError", code: "ERR_ENDPOINT" });
  await rejects(presign({ ...options, date: new Date(Number.NaN) }), { name: "TypeError", code: "ERR_OPTION", includes: "date" });
  await rejects(presign({ ...options, credentials: { accessKeyId: 5 } }), { name: "TypeError", code: "ERR_OPTION", includes: "accessKeyId" });
  await rejects(presign(), { name: "TypeError" });
});

test("an IotError is an Error with a code", ({ api: { IotError } }) => {
  const cause = new Error("the cause");
  const error = new IotError("the message", { code: "ERR_X", phase: "load", retryable: true, reasonCode: 135, closeCode: 1006, cause });
  ok(error instanceof Error, "an IotError is an Error");
  equal([error.name, error.message, error.code, error.phase, error.retryable, error.reasonCode, error.closeCode, error.cause === cause],
    ["IotError", "the message", "ERR_X", "load", true, 135, 1006, true]);
});

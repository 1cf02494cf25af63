import { equal, rejects } from "../expect.js";
import { test } from "../suite.js";

test("connect says what is wrong with its options", async (place) => {
  const client = place.client();
  const { endpoint, region } = place.options;
  const wrong = (options, name, code, says) => rejects(client.connect(options), { name, code, says });
  await wrong({ endpiont: "x" }, "TypeError", "ERR_OPTION", "did you mean endpoint?");
  await wrong({ endpoint, credentails: {} }, "TypeError", "ERR_OPTION", "did you mean credentials?");
  await wrong({ endpoint, reconnect: { maxDelay: 1 } }, "TypeError", "ERR_OPTION", "did you mean maxDelayMs?");
  await wrong({ endpoint, offline: { maxMessage: 1 } }, "TypeError", "ERR_OPTION", "did you mean maxMessages?");
  await wrong({ endpoint, will: { topik: "x" } }, "TypeError", "ERR_OPTION", "did you mean topic?");
  await wrong({ endpoint, authorizer: { tokenkeyname: "x" } }, "TypeError", "ERR_OPTION", "did you mean tokenKeyName?");
  await wrong({ endpoint, wholly: 1 }, "TypeError", "ERR_OPTION", "known are");
  await wrong({}, "TypeError", "ERR_OPTION", "endpoint");
  await wrong(5, "TypeError", "ERR_OPTION", "an object");
  await wrong({ endpoint: "ftp://x" }, "TypeError", "ERR_ENDPOINT", "ftp");
  await wrong({ endpoint, url: "ws://x" }, "TypeError", "ERR_OPTION", "either url");
  await wrong({ endpoint, region, credentials: { accessKeyId: 5 } }, "TypeError", "ERR_OPTION", "accessKeyId");
  await wrong({ endpoint, keepAlive: 70000 }, "RangeError", "ERR_OPTION", "keepAlive");
  await wrong({ endpoint, keepAlive: "60" }, "TypeError", "ERR_OPTION", "a whole number");
  await wrong({ endpoint, ackTimeoutMs: -1 }, "RangeError", "ERR_OPTION", "ackTimeoutMs");
  await wrong({ endpoint, unclaimedTimeoutMs: 1e300 }, "RangeError", "ERR_OPTION", "unclaimedTimeoutMs");
  await wrong({ endpoint, ackTimeoutMs: "60" }, "TypeError", "ERR_OPTION", "a number");
  const authorizer = { name: "a", tokenKeyName: "k", token: "t" };
  await wrong({ ...place.options, authorizer }, "TypeError", "ERR_OPTION", "authorizer");
  await wrong({ url: "ws://x", authorizer }, "TypeError", "ERR_OPTION", "authorizer");
  await wrong({ endpoint, quotas: "gcp" }, "TypeError", "ERR_OPTION", "aws");
  await wrong({ endpoint, reconnect: true }, "TypeError", "ERR_OPTION", "reconnect");
  await wrong({ endpoint, signal: {} }, "TypeError", "ERR_OPTION", "AbortSignal");
  await wrong({ endpoint, will: { topic: "a/#" } }, "TypeError", "ERR_TOPIC", "wildcard");
  await wrong({ get endpoint() { throw new RangeError("from the getter"); } }, "RangeError", undefined, "from the getter");
  equal(client.state, "idle");
});

test("what the prototype says is no option", async (place) => {
  Object.assign(Object.prototype, { qos: 2, will: { topic: "x" }, clientId: 5, retain: true });
  try {
    const client = await place.connected();
    await client.publish(place.topic(), "x", {});
    equal(client.stats().messagesOut, 1);
  } finally {
    for (const name of ["qos", "will", "clientId", "retain"]) delete Object.prototype[name];
  }
});

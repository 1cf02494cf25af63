/** This module imports the tests for a place without WebSocket. */
import "./pure.js";
import "./globals.js";
import { equal, rejects } from "../expect.js";
import { test } from "../suite.js";
import "./shadow-codes.js";
import "./jobs-codes.js";

test("connect rejects without WebSocket", async (place) => {
  equal(typeof WebSocket, "undefined");
  const client = place.client();
  const error = await rejects(client.connect(place.options), { name: "IotError", code: "ERR_WEBSOCKET" });
  equal([error.phase, error.retryable, client.state], ["open", false, "closed"]);
});

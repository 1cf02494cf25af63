/** What runs where there is no WebSocket: the import, what needs no connection, and a clear error. */
import "./pure.js";
import "./globals.js";
import { equal, rejects } from "../expect.js";
import { test } from "../suite.js";

test("without a WebSocket, connect says so", async (place) => {
  equal(typeof WebSocket, "undefined");
  const client = place.client();
  const error = await rejects(client.connect(place.options), { name: "IotError", code: "ERR_WEBSOCKET", says: "WebSocket" });
  equal([error.phase, error.retryable, client.state], ["open", false, "closed"]);
});

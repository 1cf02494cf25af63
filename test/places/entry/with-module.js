import { IotClient, load } from "/iot.js";

// The page sends the compiled wasm and connect options.
addEventListener("message", async ({ data: { module, options } }) => {
  try {
    await load({ wasm: module });
    const client = new IotClient();
    await client.connect(options);
    postMessage({ state: client.state });
    await client.disconnect();
  } catch (error) {
    postMessage({ error: String(error) });
  }
});

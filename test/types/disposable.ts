// With the library "esnext.disposable", clients and subscriptions work with `await using`.
import iot, { IotClient } from "../../www/iot.js";
import { shadow } from "../../www/shadow.js";

export async function briefly(): Promise<void> {
  await using client = new IotClient({ endpoint: "localhost" });
  await client.connect();
  await using subscription = await client.subscribe("hello");
  await using lamp = shadow(client, "lamp");
  const both: AsyncDisposable[] = [client, subscription, iot, lamp];
  await client[Symbol.asyncDispose]();
  const stack = new AsyncDisposableStack();
  for (const one of both) stack.use(one);
  await stack.disposeAsync();
}

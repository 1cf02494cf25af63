// With the library "esnext.disposable", clients and subscriptions work with `await using`.
import iot, { IotClient } from "../../www/iot.js";
import { jobs } from "../../www/jobs.js";
import { presence } from "../../www/presence.js";
import { shadow } from "../../www/shadow.js";

export async function briefly(): Promise<void> {
  await using client = new IotClient({ endpoint: "localhost" });
  await client.connect();
  await using subscription = await client.subscribe("hello");
  await using lamp = shadow(client, "lamp");
  await using run = jobs(client, "lamp");
  await using present = presence(client);
  const both: AsyncDisposable[] = [client, subscription, iot, lamp, run, present];
  await client[Symbol.asyncDispose]();
  const stack = new AsyncDisposableStack();
  for (const one of both) stack.use(one);
  await stack.disposeAsync();
}

/** Connects to the stand-in at the URL `server`, and tells what is heard of a message to itself. */
export async function hello(iot, server) {
  const { endpoint, region, credentials } = await (await fetch(`${server}local.json`)).json();
  await iot.connect({ endpoint, region, credentials });
  return echo(iot);
}

/** The same with a client that is connected, or about to be. */
export async function echo(iot) {
  const messages = await iot.subscribe("hello");
  await iot.publish("hello", "world", { qos: 1 });
  for await (const message of messages) {
    const classes = [iot, messages, message].map((o) => o.constructor.name).join();
    return { heard: message.text(), connects: iot.stats().connects, classes };
  }
}

/** What goes wrong, as a test can read it. */
export const problem = (error) => ({ error: `${error.name} ${error.code}: ${error.message}` });

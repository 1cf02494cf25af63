/** Connects to the stand-in at the URL `server` and returns the result of echo. */
export async function hello(iot, server) {
  const { endpoint, region, credentials } = await (await fetch(`${server}local.json`)).json();
  await iot.connect({ endpoint, region, credentials });
  return echo(iot);
}

/** Publishes a message that the client receives, and describes the received message. */
export async function echo(iot) {
  const messages = await iot.subscribe("hello");
  await iot.publish("hello", "world", { qos: 1 });
  for await (const message of messages) {
    const classes = [iot, messages, message].map((o) => o.constructor.name).join();
    return { received: message.text(), connects: iot.stats().connects, classes };
  }
}

/** Describes an error. */
export const problem = (error) => ({ error: `${error.name} ${error.code}: ${error.message}` });

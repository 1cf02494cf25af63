import mqtt from "mqtt";

export async function connect(url) {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
  return {
    subscribe(filter, onMessage) {
      client.on("message", onMessage);
      return client.subscribeAsync(filter, { qos: 1 });
    },
    publish: (topic, payload, qos, done) => void client.publish(topic, payload, { qos }, done),
    close: () => client.endAsync(),
  };
}

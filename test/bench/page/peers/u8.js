import { mqtt_v5 } from "u8-mqtt";

export async function connect(url) {
  const client = mqtt_v5({ log_conn() {} }).with_websock(url);
  await client.connect({ client_id: "bench" });
  return {
    subscribe(filter, onMessage) {
      client.on_topic(filter, ({ topic, payload }) => onMessage(topic, payload));
      return client.subscribe([[filter, 1]]);
    },
    // In version 0.6.7, publish() throws for QoS 0, so the adapter calls the function that publish() should call.
    publish(topic, payload, qos, done) {
      const message = { topic, payload, qos };
      (qos > 0 ? client.publish(message) : client._send("publish", message)).then(() => done(), done);
    },
    close: () => client.disconnect(),
  };
}

// This adapter uses the files of iot.wasm as they are published, without a bundler.
export async function connect(url) {
  const { default: iot } = await import("/www/iot.js");
  await iot.connect({ url });
  return {
    subscribe: (filter, onMessage) => iot.subscribe(filter, ({ topic, payload }) => onMessage(topic, payload), { qos: 1 }),
    publish: (topic, payload, qos, done) => void iot.publish(topic, payload, { qos }).then(() => done(), done),
    close: () => iot.disconnect(),
  };
}

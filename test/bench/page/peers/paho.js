// This adapter uses MQTT 3.1.1, the newest version that the client supports.
import Paho from "paho-mqtt";

export function connect(url) {
  const client = new Paho.Client(url, "bench");
  client.onMessageDelivered = (message) => message.done();
  const connection = {
    subscribe(filter, onMessage) {
      client.onMessageArrived = (message) => onMessage(message.destinationName, message.payloadBytes);
      return new Promise((resolve, reject) => client.subscribe(filter, { qos: 1, onSuccess: resolve, onFailure: reject }));
    },
    publish(topic, payload, qos, done) {
      const message = new Paho.Message(payload);
      message.destinationName = topic;
      message.qos = qos;
      message.done = done;
      client.send(message);
    },
    close: () => client.disconnect(),
  };
  return new Promise((resolve, reject) => client.connect({ onSuccess: () => resolve(connection), onFailure: reject }));
}

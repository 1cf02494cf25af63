import { mqtt5 } from "aws-iot-device-sdk-v2";

export function connect(url) {
  const client = new mqtt5.Mqtt5Client({
    hostName: "", port: 0, // ignored: the URL contains the host and the port
    websocketOptions: { urlFactoryOptions: { urlFactory: mqtt5.Mqtt5WebsocketUrlFactoryType.Custom, customUrlFactory: () => url } },
    connectProperties: { keepAliveIntervalSeconds: 60, clientId: "bench" },
  });
  return new Promise((resolve, reject) => {
    client.on("connectionFailure", ({ error }) => reject(error));
    client.on("connectionSuccess", () =>
      resolve({
        subscribe(topicFilter, onMessage) {
          client.on("messageReceived", ({ message }) => onMessage(message.topicName, new Uint8Array(message.payload)));
          return client.subscribe({ subscriptions: [{ topicFilter, qos: 1 }] });
        },
        publish: (topicName, payload, qos, done) => void client.publish({ topicName, payload, qos }).then(() => done(), done),
        close: () => client.stop(),
      }),
    );
    client.start();
  });
}

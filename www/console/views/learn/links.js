// The links of the view "learn".

/** The demos, in the order of demos/index.html. */
export const DEMOS = [
  { page: "mqtt-sample.html", picture: "mqtt-sample", title: "MQTT sample", text: "The shortest complete page: subscribe, publish, list." },
  { page: "chat.html", picture: "chat", title: "Chat", text: "Rooms with presence by a will, and retained history." },
  { page: "drawing.html", picture: "drawing", title: "Drawing", text: "A shared canvas with the cursors of all people." },
  { page: "lamp.html", picture: "lamp", title: "Light bulb: the lamp", text: "A device that follows its shadow." },
  { page: "switch.html", picture: "switch", title: "Light bulb: the switch", text: "An application that changes the shadow of the lamp." },
  { page: "sensors.html", picture: "sensors", title: "Sensors", text: "Live charts of several rooms, with limits." },
  { page: "trucks.html", picture: "trucks", title: "Trucks: the fleets", text: "Fifty trucks with named shadows drive through a city." },
  { page: "dispatcher.html", picture: "dispatcher", title: "Trucks: the dispatcher", text: "The map of all trucks, and orders for them." },
  { page: "lifecycle.html", picture: "lifecycle", title: "Lifecycle", text: "The connected clients, by the lifecycle events of AWS IoT." },
  { page: "jobs.html", picture: "jobs", title: "Jobs", text: "Devices that run jobs, and their progress." },
  { page: "embed.html", picture: "embed", title: "Embed", text: "A script tag on a page of another origin, with a strict policy." },
  { page: "react/dist/", picture: "react", title: "Rooms with React", text: "The hooks of iot.wasm/react. “make demos” builds it." },
  { page: "vue/dist/", picture: "vue", title: "Rooms with Vue", text: "The composables of iot.wasm/vue. “make demos” builds it." },
];

/** The documents of the repository. */
export const DOCUMENTS = [
  ["docs/console.md", "This page: its views, keys and profiles"],
  ["docs/embedding.md", "Bundlers, script tags, workers, credentials, permissions, sessions"],
  ["docs/errors.md", "Every error code, and what to do"],
  ["docs/aws.md", "A page on your own AWS account"],
  ["docs/brokers.md", "Other brokers"],
  ["docs/local.md", "The local stand-in and its flags"],
  ["docs/demos.md", "The demos"],
];

/** Pages about MQTT 5 and AWS IoT Core. */
export const PAGES = [
  ["https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html", "MQTT 5: the specification"],
  ["https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html", "AWS IoT Core: MQTT"],
  ["https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html", "AWS IoT Core: policies"],
  ["https://docs.aws.amazon.com/iot/latest/developerguide/iot-device-shadows.html", "AWS IoT Core: device shadows"],
  ["https://docs.aws.amazon.com/iot/latest/developerguide/iot-jobs.html", "AWS IoT Core: jobs"],
];

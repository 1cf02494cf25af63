import { $ } from "../../ui/dom.js";

/**
 * The form that publishes a message.
 * @param {import("../../main.js").App} app
 */
export function mountPublish({ connection, commands, run }) {
  const form = $("publish");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { topic, payload, qos, retain } = form.elements;
    run(async () => {
      const start = performance.now();
      await connection.client.publish(topic.value, payload.value, { qos: Number(qos.value), retain: retain.checked });
      $("published").textContent = qos.value === "0" ? "Sent." : `Acknowledged after ${Math.round(performance.now() - start)} ms.`;
    }, form.querySelector(".primary"));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  commands.add({ id: "publish", title: "Publish a message", keys: "N", run: () => form.elements.topic.focus() });
}

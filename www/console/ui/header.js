import { sizeOf } from "../core/payload.js";
import { $ } from "./dom.js";

/**
 * The header: the state of the connection, its figures, and the button that connects or disconnects.
 * @param {import("../main.js").App} app
 */
export function mountHeader({ connection, commands, run }) {
  const { client } = connection;
  const state = $("state");
  const showState = () => {
    state.textContent = state.dataset.state = client.state;
    $("detail").textContent = connection.history.at(-1)?.text ?? "";
    $("link").textContent = connection.active ? "Disconnect" : "Connect";
  };
  connection.changed.on(showState);
  showState();

  const toggle = () => run(() => (connection.active ? connection.disconnect() : connection.connect()));
  $("link").addEventListener("click", toggle);
  commands.add({ id: "link", title: "Connect or disconnect", run: toggle });

  setInterval(() => {
    if (client.state === "idle" || document.hidden) return;
    const { messagesIn, messagesOut, bytesIn, bytesOut, roundTripMs } = client.stats();
    $("figures").textContent = [
      roundTripMs !== undefined && `${Math.round(roundTripMs)} ms`,
      `in ${messagesIn.toLocaleString()} (${sizeOf(bytesIn)})`,
      `out ${messagesOut.toLocaleString()} (${sizeOf(bytesOut)})`,
    ].filter(Boolean).join(" · ");
  }, 1000);

  document.addEventListener("keydown", (event) => {
    const command = commands.forKey(event);
    if (!command || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    command.run();
  });
}

import { sizeOf } from "../core/payload.js";
import { $, h } from "./dom.js";

/**
 * The header: the state of the connection, its figures, its profile, and the button that connects or disconnects.
 * @param {import("../main.js").App} app
 */
export function mountHeader(app) {
  const { connection, commands, run } = app;
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
  mountProfile(app);

  connection.samples.added.on(() => {
    if (document.hidden) return;
    const { roundTripMs, stats: { messagesIn, messagesOut, bytesIn, bytesOut } } = connection.samples.last;
    $("figures").textContent = [
      roundTripMs !== undefined && `${Math.round(roundTripMs)} ms`,
      `in ${messagesIn.toLocaleString()} (${sizeOf(bytesIn)})`,
      `out ${messagesOut.toLocaleString()} (${sizeOf(bytesOut)})`,
    ].filter(Boolean).join(" · ");
  });

  document.addEventListener("keydown", (event) => {
    const command = commands.forKey(event);
    if (!command || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    command.run();
  });
}

/**
 * The choice of the profile, in the header and as commands. If a value is missing in the profile, the view "connect" opens
 * with it.
 * @param {import("../main.js").App} app
 */
function mountProfile(app) {
  const { connection, commands, profiles, run } = app;
  const choice = $("profile");
  let remove = [];
  const connect = (id) => run(async () => {
    const profile = profiles.get(id);
    try {
      await connection.connect(profile);
    } catch (error) {
      if (error.field && profile) {
        profiles.select(profile.id);
        app.show("connect");
      }
      throw error;
    } finally {
      choice.value = connection.profile.id;
    }
  });
  const show = () => {
    const { list } = profiles;
    choice.replaceChildren(...list.map(({ id, name }) => h("option", { value: id }, name)));
    choice.value = connection.profile.id;
    for (const end of remove) end();
    remove = list.map(({ id, name }) => commands.add({ id: `profile-${id}`, title: `Connect with: ${name}`, run: () => connect(id) }));
  };
  profiles.changed.on(show);
  connection.changed.on(() => (choice.value = connection.profile.id));
  choice.addEventListener("change", () => connect(choice.value));
  show();
}

import { h } from "../../ui/dom.js";
import { mountForm } from "./form.js";
import { mountGranted } from "./granted.js";
import { mountHistory } from "./history.js";
import { mountLive } from "./live.js";
import { mountProfiles } from "./profiles.js";

/**
 * The view "connect": the profiles, the form of the selected one, and what is known about the connection.
 * @param {HTMLElement} root
 * @param {import("../../main.js").App} app
 */
export function mount(root, app) {
  const list = h("section", { class: "card profiles", "aria-labelledby": "profiles-title" });
  const form = h("section", { class: "card profile", "aria-labelledby": "profile-title" });
  const live = h("section", { class: "card live", "aria-labelledby": "live-title" });
  const granted = h("section", { class: "card granted", "aria-labelledby": "granted-title" });
  const history = h("section", { class: "card history", "aria-labelledby": "history-title" });
  root.append(list, form, h("div", { class: "facts" }, live, history, granted));
  const focusForm = mountForm(form, app);
  mountProfiles(list, app, focusForm);

  // The parts about the connection are drawn only while the view is shown.
  const parts = [mountLive(live, app), mountGranted(granted, app), mountHistory(history, app)];
  let shown = false;
  const draw = () => {
    if (shown) for (const part of parts) part();
  };
  app.connection.changed.on(draw);
  app.connection.samples.added.on(() => shown && !document.hidden && parts[0]());
  return {
    show() {
      shown = true;
      draw();
    },
    hide: () => (shown = false),
  };
}

// The console page. It uses only the public API of iot.js.
import { Commands } from "./core/commands.js";
import { Connection } from "./core/connection.js";
import { Emitter } from "./core/emitter.js";
import { Messages } from "./core/messages/messages.js";
import { Profiles } from "./core/profiles/profiles.js";
import { Subscriptions } from "./core/messages/subscriptions.js";
import { TopicTree } from "./core/messages/topic-tree.js";
import { mountCode } from "./ui/code.js";
import { button } from "./ui/dom.js";
import { mountHeader } from "./ui/header.js";
import { mountHelp } from "./ui/help.js";
import { mountOffline } from "./ui/offline.js";
import { mountPalette } from "./ui/palette.js";
import { mountTour } from "./ui/tour.js";
import { mountViews } from "./ui/views.js";

/**
 * What the views share. A view is a module in views/ with the function mount(root, app), which may return an object with
 * the methods show() and hide().
 */
export class App {
  commands = new Commands();
  profiles = new Profiles();
  connection = new Connection(this.profiles);
  messages = new Messages();
  topics = new TopicTree(this.messages);
  subscriptions = new Subscriptions(this.connection.client, this.messages);
  /** Whether the readers of messages do not show newer messages. The history continues. */
  paused = false;
  pauseChanged = new Emitter();
  /** Opens the dialog with the code of an action; ui/code.js sets it. @type {(action: string, given?: import("./core/code/snippets.js").Arguments, profile?: import("./core/profiles/profiles.js").Profile) => void} */
  showCode;
  /** Shows a view by its name; ui/views.js sets it. @type {(name: string) => void} */
  show;
  /** Resolves when the view of messages is mounted; ui/views.js sets it. @type {Promise<unknown>} */
  ready;
  /** The guided first minute; ui/tour.js sets it. @type {import("./core/tour.js").Tour} */
  tour;
  /** Fills the form that publishes, and returns its message; views/messages/publish.js sets them. @type {(message: { topic: string, payload?: any, options?: any }) => void} */
  compose;
  /** @type {() => { topic: string, payload: any, options: any }} */
  composed;
  /** Whether the view "diagnose" runs a diagnosis when it is shown for the first time. */
  diagnoseRequested = false;

  /** Shows an error above the view, or hides the last one. @param {any} [error] */
  showError = (error) => {
    const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
    problem.textContent = error ? `${error.code ? `${error.code}: ` : ""}${error.message}` : "";
    if (error?.phase) problem.append(button("Diagnose", () => this.commands.run("diagnose"))); // an error of a connection
    problem.hidden = !error;
  };

  /**
   * Runs the action of a button, and shows its error. Disables the button while the action runs.
   * @param {() => unknown} work
   * @param {HTMLButtonElement} [button]
   */
  run = async (work, button) => {
    if (button) button.disabled = true;
    this.showError();
    try {
      await work();
    } catch (error) {
      this.showError(error);
    } finally {
      if (button) button.disabled = false;
    }
  };
}

export const app = new App();
app.connection.failed.on(app.showError);
app.subscriptions.failed.on(app.showError);
mountHeader(app);
mountPalette(app);
mountHelp(app);
mountCode(app);
mountTour(app);
mountViews(app);
// The view "diagnose" replaces this command when it is loaded.
app.commands.add({ id: "diagnose", title: "Diagnose the connection", run: () => {
  app.diagnoseRequested = true;
  app.show("diagnose");
} });
app.subscriptions.restore();
app.run(async () => {
  try {
    await app.connection.connect();
  } catch (error) {
    if (error.code === "ERR_NO_LOCAL" && !location.hash) app.show("connect"); // the page is on another web server than serve.go
    throw error;
  }
});
mountOffline();

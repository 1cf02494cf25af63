import { ImportError, exportRecords, importLines } from "../../core/messages/transfer.js";
import { Replay } from "../../core/messages/replay.js";
import { $, h } from "../../ui/dom.js";
import { openDialog } from "./dialog.js";

/**
 * Export, import and replay of messages.
 * @param {HTMLElement} root a file that is dropped here is imported
 * @param {import("../../main.js").App} app
 * @param {import("../../core/messages/results.js").Results} results the messages that the list shows
 */
export function mountFiles(root, app, results) {
  const { messages, subscriptions, connection, commands, run } = app;
  const job = $("transfer"), jobText = $("transfer-text"), jobStop = $("transfer-stop"), chooser = $("import-messages-file");
  /** @type {(() => void) | undefined} */
  let stop;

  /** Shows the progress or the result of an export, an import or a replay. With onstop, the button stops it; otherwise it hides the text. */
  const report = (text, onstop) => {
    job.hidden = !text;
    jobText.textContent = text;
    stop = onstop;
    jobStop.textContent = onstop ? "Stop" : "Hide";
  };
  jobStop.addEventListener("click", () => (stop ? stop() : report("")));

  const count = (n) => `${n.toLocaleString()} ${n === 1 ? "message" : "messages"}`;
  const percent = (done) => `${Math.floor(done * 100)} %`;
  const shownText = () => (results.query ? `${count(results.size)} of the search` : count(results.size));

  const download = (format) => run(async () => {
    const records = results.records();
    const blob = await exportRecords(format, records, (id) => subscriptions.get(id)?.filter, (done) => report(`Exporting: ${percent(done)}`));
    const url = URL.createObjectURL(blob);
    const name = `messages-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}.${format}`;
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may ask the user for a name first
    report(`Exported ${count(records.length)} to ${name}.`);
  });

  const exportDialog = () => {
    const format = h("select", { name: "format" }, h("option", { value: "jsonl" }, "JSON lines: can be imported and replayed"), h("option", { value: "csv" }, "CSV: for spreadsheets"));
    openDialog("Export", [
      h("p", {}, `The file contains ${shownText()}. A payload that is not UTF-8 becomes Base64.`),
      h("label", {}, "Format", format),
    ], { accept: "Export", onaccept: () => download(format.value) });
  };

  const importFile = (file) => run(async () => {
    report(`Importing ${file.name}`);
    let added = 0;
    try {
      await importLines(file, (message, time) => {
        messages.add(message, [], time, file.name);
        added++;
      }, (done) => report(`Importing ${file.name}: ${percent(done)}`));
      report(`Imported ${count(added)} from ${file.name}.${added > messages.size ? " The history is full: it has removed the oldest ones." : ""}`);
    } catch (error) {
      report(added ? `Imported ${count(added)} from ${file.name}, and then stopped.` : "");
      throw error instanceof ImportError ? new Error(`${file.name}, ${error.message}`, { cause: error }) : error;
    }
  });
  chooser.addEventListener("change", () => {
    for (const file of chooser.files) importFile(file);
    chooser.value = "";
  });

  const replay = (options) => {
    const records = results.records();
    const player = new Replay(connection.client, records, options);
    const show = () => {
      const done = player.published + player.refused;
      const failed = player.refused ? ` ${count(player.refused)} refused: ${player.error.code ? `${player.error.code}: ` : ""}${player.error.message}` : "";
      if (player.running) report(`Replaying: ${done.toLocaleString()} of ${count(player.total)}.${failed}`, () => player.stop());
      else report(`${done < player.total ? "Stopped the replay. " : ""}Published ${count(player.published)}${done < player.total ? ` of ${player.total.toLocaleString()}` : ""}.${failed}`);
    };
    player.changed.on(show);
    player.run();
  };

  const replayDialog = () => {
    const speed = h("select", { name: "speed" }, [["1", "Original"], ["2", "2 times"], ["10", "10 times"], ["100", "100 times"], ["Infinity", "As fast as possible"]].map(([value, text]) => h("option", { value }, text)));
    const prefix = h("input", { name: "prefix", spellcheck: false, placeholder: "replay/", autocomplete: "off" });
    const retain = h("input", { type: "checkbox", name: "retain" });
    openDialog("Replay", [
      h("p", {}, `Publishes ${shownText()} again, oldest first, with their QoS and properties.`),
      h("label", {}, "Speed", speed),
      h("label", {}, "Prefix of the topics; empty: the same topics", prefix),
      h("label", { class: "check" }, retain, "Publish retained messages as retained"),
    ], { accept: "Replay", onaccept: () => replay({ speed: Number(speed.value), prefix: prefix.value, retain: retain.checked }) });
  };

  const actions = { "export-messages": ["Export the messages", exportDialog], "import-messages": ["Import messages from a file", () => chooser.click()], "replay-messages": ["Replay the messages", replayDialog] };
  for (const [id, [title, action]] of Object.entries(actions)) {
    $(id).addEventListener("click", action);
    commands.add({ id, title, run: action });
  }

  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  root.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    root.classList.add("drop");
  });
  root.addEventListener("dragleave", (event) => {
    if (!root.contains(/** @type {Node | null} */ (event.relatedTarget))) root.classList.remove("drop");
  });
  root.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    root.classList.remove("drop");
    for (const file of event.dataTransfer.files) importFile(file);
  });
}

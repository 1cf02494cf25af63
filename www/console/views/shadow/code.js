import { cliOptions, shellWord } from "../../core/code/shell.js";
import { CodeBlock } from "../../ui/code-block.js";
import { h } from "../../ui/dom.js";

/** The code that does the last action of the view: a module, and the AWS CLI. @param {import("../../main.js").App} app */
export function createCode({ connection }) {
  const script = new CodeBlock("JavaScript"), cli = new CodeBlock("AWS CLI");
  const element = h("section", { class: "card", "aria-labelledby": "shadow-code-title" },
    h("h2", { id: "shadow-code-title" }, "Code of the last action"), h("div", { class: "codes" }, script.element, cli.element));
  return {
    element,
    /**
     * @param {{ thing: string, name: string }} shadow
     * @param {{ action: "open" | "update" | "delete", state?: object, version?: number }} last
     */
    update({ thing, name }, { action, state, version }) {
      const args = [thing, ...(name ? [name] : [])].map((word) => JSON.stringify(word)).join(", ");
      const lines = ['import iot from "./iot.js";', 'import { shadow } from "./shadow.js";', "", `const thing = shadow(iot, ${args});`];
      if (action === "open") lines.push('thing.addEventListener("change", () => {', "  console.log(thing.reported, thing.desired, thing.delta, thing.version);", "});");
      if (action === "update") lines.push(`await thing.update(${JSON.stringify(state, undefined, 2)}${version === undefined ? "" : `, { version: ${version} }`});`);
      if (action === "delete") lines.push("await thing.delete();");
      script.text = lines.join("\n");
      const command = { open: "get-thing-shadow", update: "update-thing-shadow", delete: "delete-thing-shadow" }[action];
      const payload = state && `--cli-binary-format raw-in-base64-out --payload ${shellWord(JSON.stringify({ state, version }))}`;
      const server = cliOptions(connection), lineOf = (...words) => words.filter(Boolean).join(" \\\n  ");
      cli.text = lineOf(`aws iot-data ${command} --thing-name ${thing}`, name && `--shadow-name ${shellWord(name)}`, server, payload, "/dev/stdout");
      // A page cannot list them: the data plane of AWS IoT has no CORS headers.
      if (action === "open") cli.text += `\n\n# the names of the shadows of the thing\n${lineOf(`aws iot-data list-named-shadows-for-thing --thing-name ${thing}`, server)}`;
    },
  };
}

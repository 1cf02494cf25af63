/// <reference path="../../www/iot.global.d.ts" />
// This program is a classic script. It uses the global of iot.global.js, and has no imports.

type ScriptMessage = import("../../www/iot.js").Message;

function showMessage(message: ScriptMessage): void {
  document.title = message.text();
}

async function startScript(): Promise<void> {
  await iot.load({ wasm: "iot.wasm" });
  await iot.connect({ endpoint: "localhost" });
  await globalThis.iot.subscribe("hello", showMessage);
  await window.iot.publish("hello", "world", { qos: 1 });
  const second = new iot.IotClient({ endpoint: "localhost" });
  second.addEventListener("closed", ({ detail }) => console.log(detail.error instanceof iot.IotError));
  console.log(iot.version.length, iot.matches("a", "a"), await iot.presign({ endpoint: "a", credentials: { accessKeyId: "", secretAccessKey: "" } }));
  // @ts-expect-error the global is typed
  await iot.publish(1);
}
void startScript();

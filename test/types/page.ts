// This program uses APIs that exist in a page and not in a worker.
import iot from "../../www/iot.js";
import { cognito } from "../../www/cognito.js";

export const credentials = cognito({ identityPoolId: "a:b", storage: localStorage });
export const guests = cognito({ identityPoolId: "a:b", storage: sessionStorage });

iot.addEventListener("message", ({ detail: { payload, topic } }) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([payload]));
  link.textContent = topic;
});
iot.addEventListener("connected", (event: Event) => console.log(event.type));
const listener: EventListener = (event) => console.log(event.type);
iot.addEventListener("closed", listener);
iot.removeEventListener("closed", listener);

export async function digest(filter: string): Promise<ArrayBuffer[]> {
  const found: ArrayBuffer[] = [];
  for await (const message of await iot.subscribe(filter)) {
    found.push(await crypto.subtle.digest("SHA-256", message.payload));
    await iot.publish("digest", found.at(-1), { correlationData: message.correlationData });
  }
  return found;
}

/** A page that shows the connected clients. */
import iot from "/iot.js";
import { presence } from "/presence.js";
import { connect, show } from "./connect.js";

await connect();
const present = presence(iot);
globalThis.clients = present.clients;
globalThis.ends = []; // the client id, the reason and the initiator of each end of a connection
present.addEventListener("change", ({ detail: { clientId, connected, disconnectReason, clientInitiatedDisconnect } }) => {
  if (!connected) ends.push([clientId, disconnectReason, clientInitiatedDisconnect]);
  show([...clients.keys()].join());
});
await present.ready;
globalThis.ready = true;

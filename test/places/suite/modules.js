/** Tests of the optional modules together. */
import { collect, equal, event, rejects } from "../expect.js";
import { instances, test } from "../suite.js";
import { moduleOf } from "./load.js";

test("a crash of the wasm ends requests and loops of the optional modules", async (place) => {
  const { load, IotClient } = await place.fresh();
  const [{ shadow }, { jobs }, { presence }] = await Promise.all(["shadow", "jobs", "presence"].map((name) => place.module(name)));
  await load({ wasm: await moduleOf(place) });
  const { iot_publish } = instances.at(-1).exports;
  const client = place.keep(new IotClient());
  await client.connect({ ...place.options, clientId: place.clientId() });
  const [lamp, device, present] = [shadow(client, "crash"), jobs(client, "crash"), presence(client)];
  const crashed = { name: "IotError", code: "ERR_CRASHED" };
  const failed = [lamp, present].map((target) => event(target, "error"));
  lamp.addEventListener("change", () => {});
  const loops = [lamp.deltas(), lamp.documents(), device.next(), present.changes()].map((loop) => rejects(collect(loop).ended, crashed));
  await Promise.all([lamp.get().catch(() => {}), device.pending(), present.ready]);
  const pending = [lamp.get(), lamp.update({ reported: {} }), device.pending(), device.startNext()].map((p) => rejects(p, crashed));
  iot_publish(1, 1, 4e9, 4e9, 4e9, 0, 0); // lengths that the module never passes
  pending.push(rejects(client.publish(place.topic(), "x", { qos: 1 }), crashed)); // detects the crash
  await Promise.all([...pending, ...loops]);
  equal((await Promise.all(failed)).map((e) => e.detail.error.code), ["ERR_CRASHED", "ERR_CRASHED"]);
});

test("a closed connection ends requests and loops of the optional modules", async (place) => {
  const [{ shadow }, { jobs }, { presence }] = await Promise.all(["shadow", "jobs", "presence"].map((name) => place.module(name)));
  const client = await place.connected();
  const thing = place.topic("closed").replace(/\W/g, "-");
  const [lamp, device, present] = [shadow(client, thing), jobs(client, thing), presence(client)];
  const loops = [lamp.deltas(), lamp.documents(), device.next(), present.changes()].map((loop) => rejects(collect(loop).ended, { code: "ERR_SUPERSEDED" }));
  await Promise.all([lamp.update({ desired: { on: true } }), device.pending(), present.ready]);
  // Another client takes the client id, which closes the client with an error.
  const closed = event(client, "closed");
  await place.connected({ clientId: client.connection.clientId });
  equal((await closed).detail.error.code, "ERR_SUPERSEDED");
  await Promise.all(loops);
  await rejects(lamp.get({ timeoutMs: 50 }), { code: "ERR_SHADOW_TIMEOUT" });
});

/** Tests of connect() with a URL while the wasm is loading: the socket opens early. */
import { equal, event, ok, rejects } from "../expect.js";
import { test } from "../suite.js";
import { soon } from "./connect.js";
import { moduleOf } from "./load.js";

/**
 * Runs body with another instance of the module. Its wasm arrives when body calls arrive(). sockets are the WebSockets that
 * the page has created since.
 */
async function loading(place, body) {
  const { load, IotClient } = await place.fresh();
  const module = await moduleOf(place);
  const url = await place.api.presign({ ...place.options });
  const Real = globalThis.WebSocket;
  const sockets = [];
  globalThis.WebSocket = class extends Real {
    constructor(...args) {
      super(...args);
      this.failed = event(this, "error"); // the event may occur before a test has found the socket
      sockets.push(this);
    }
  };
  try {
    let arrive;
    const wasm = new Promise((resolve, reject) => (arrive = (error) => (error ? reject(error) : resolve(module))));
    const loaded = load({ wasm });
    loaded.catch(() => {});
    await body({ url, sockets, arrive, loaded, client: place.keep(new IotClient()) });
  } finally {
    globalThis.WebSocket = Real;
  }
}

/** Resolves when a WebSocket is open. */
const opened = (socket) => socket.readyState === 1 || event(socket, "open");
/** Resolves when a WebSocket has closed. */
const closed = (socket) => socket.readyState === 3 || event(socket, "close");
/** Resolves when the array has an element, and returns the last one. */
async function last(array) {
  while (array.length === 0) await new Promise((resolve) => setTimeout(resolve));
  return array.at(-1);
}

for (const [form, option] of Object.entries({ string: (url) => url, URL: (url) => new URL(url), function: (url) => () => url, "function with a promise": (url) => async () => new URL(url) })) {
  test(`the socket of a url opens before the wasm arrives: ${form}`, (place) => loading(place, async ({ url, sockets, arrive, client }) => {
    const connecting = client.connect({ url: option(url), clientId: place.clientId() });
    await opened(await last(sockets));
    equal(client.state, "idle");
    arrive();
    await connecting;
    equal([sockets.length, sockets[0].readyState, client.state, client.stats().connects], [1, 1, "connected", 1]);
    await client.publish(place.topic(), "x", { qos: 1 });
    await client.disconnect();
    await closed(sockets[0]);
  }));
}

test("a socket that is not open yet when the wasm arrives is used, too", (place) => loading(place, async ({ url, sockets, arrive, client }) => {
  const connecting = client.connect({ url, clientId: place.clientId() });
  arrive();
  await connecting;
  equal([sockets.length, client.stats().connects], [1, 1]);
}));

test("a provider of URLs is called once for the first attempt, and its socket is used for it only", (place) => loading(place, async ({ url, sockets, arrive, client }) => {
  let calls = 0;
  const connecting = client.connect({ url: () => (calls++, url), clientId: place.clientId(), reconnect: soon });
  await opened(await last(sockets));
  arrive();
  await connecting;
  equal([calls, sockets.length], [1, 1]);
  const again = event(client, "connected");
  client.reconnect();
  await again;
  equal([calls, sockets.length], [2, 2]);
}));

test("credentials, an endpoint and an authorizer open no socket before the wasm arrives", (place) => loading(place, async ({ sockets, arrive, client, loaded }) => {
  const { endpoint, region, credentials } = place.options;
  const failures = [{ endpoint, region, credentials }, { endpoint, region, credentials: () => credentials }, { endpoint, authorizer: { name: "a" } }, { endpoint }]
    .map((options) => client.connect({ ...options, reconnect: false }).catch(() => {}).finally(() => client.disconnect()));
  await new Promise((resolve) => setTimeout(resolve));
  equal(sockets.length, 0);
  arrive();
  await loaded;
  await Promise.all(failures);
}));

test("an abort before the wasm arrives closes the socket", (place) => loading(place, async ({ url, sockets, arrive, client, loaded }) => {
  const stop = new AbortController();
  const connecting = client.connect({ url, signal: stop.signal });
  await opened(await last(sockets));
  stop.abort(new RangeError("enough"));
  await rejects(connecting, { name: "RangeError" });
  await closed(sockets[0]);
  arrive();
  await loaded;
  await client.disconnect();
  equal([sockets.length, client.state], [1, "idle"]);
}));

test("an abort before the provider answers opens no socket", (place) => loading(place, async ({ url, sockets, arrive, client, loaded }) => {
  const stop = new AbortController();
  let answer;
  const connecting = client.connect({ url: () => new Promise((resolve) => (answer = resolve)), signal: stop.signal });
  stop.abort(new RangeError("enough"));
  await rejects(connecting, { name: "RangeError" });
  answer(url);
  arrive();
  await loaded;
  await client.disconnect();
  equal(sockets.length, 0);
}));

test("disconnect() before the wasm arrives closes the socket", (place) => loading(place, async ({ url, sockets, arrive, client }) => {
  const connecting = client.connect({ url });
  await opened(await last(sockets));
  const disconnected = client.disconnect();
  await closed(sockets[0]);
  arrive();
  await rejects(connecting, { name: "IotError", code: "ERR_CLOSED" });
  await disconnected;
  equal([sockets.length, client.state], [1, "closed"]);
}));

test("connect(), disconnect(), connect() before the wasm arrives result in one connection", (place) => loading(place, async ({ url, sockets, arrive, client }) => {
  const options = { url, clientId: place.clientId() };
  const first = client.connect(options);
  const disconnected = client.disconnect();
  const second = client.connect(options);
  await opened(await last(sockets));
  arrive();
  await rejects(first, { name: "IotError", code: "ERR_CLOSED" });
  await disconnected;
  await second;
  equal([sockets.length, sockets[0].readyState, client.state, client.stats().connects], [1, 1, "connected", 1]);
}));

test("two calls of connect() before the wasm arrives share the socket", (place) => loading(place, async ({ url, sockets, arrive, client }) => {
  const options = { url, clientId: place.clientId() };
  const stop = new AbortController();
  const [first, second] = [client.connect(options), client.connect({ ...options, signal: stop.signal })];
  await opened(await last(sockets));
  stop.abort(new RangeError("enough"));
  await rejects(second, { name: "RangeError" });
  arrive();
  await first;
  equal([sockets.length, sockets[0].readyState, client.state], [1, 1, "connected"]);
}));

test("a wasm that does not load closes the socket", (place) => loading(place, async ({ url, sockets, arrive, client }) => {
  const connecting = client.connect({ url });
  await opened(await last(sockets));
  arrive(new Error("no wasm"));
  await rejects(connecting, { name: "IotError", code: "ERR_LOAD" });
  await closed(sockets[0]);
  equal([sockets.length, client.state], [1, "idle"]);
}));

test("options that the wasm refuses close the socket", (place) => loading(place, async ({ url, sockets, arrive, client }) => {
  const connecting = client.connect({ url, keepAlive: 70000 });
  await opened(await last(sockets));
  arrive();
  await rejects(connecting, { name: "RangeError", code: "ERR_OPTION", includes: "keepAlive" });
  await closed(sockets[0]);
  equal([sockets.length, client.state], [1, "idle"]);
}));

test("a socket that the server has closed before the wasm arrives is replaced", (place) => loading(place, async ({ url, sockets, arrive, client }) => {
  const lost = [];
  client.addEventListener("disconnected", (e) => lost.push(e.detail.error.code));
  const connecting = client.connect({ url, clientId: place.clientId(), reconnect: false });
  const socket = await last(sockets);
  await opened(socket);
  socket.close(); // the close event is that of a server that closes the connection
  await closed(socket);
  arrive();
  await connecting;
  equal([sockets.length, lost, client.stats().connects], [2, [], 1]);
}));

test("a refused URL fails as it does after the wasm has loaded, with one WebSocket", (place) => loading(place, async ({ url, sockets, arrive, client, loaded }) => {
  const options = { url: `${url}&x=1`, reconnect: false };
  const attempt = client.connect(options);
  await (await last(sockets)).failed;
  await new Promise((resolve) => setTimeout(resolve)); // browsers fire close after error; Node 22 does not
  arrive();
  const early = await rejects(attempt, { name: "IotError" }); // without access to the HTTP response, the code is another one
  equal(sockets.length, 1);
  await loaded;
  const late = await rejects(client.connect(options), { name: "IotError" });
  equal([early.code, early.message, early.closeCode], [late.code, late.message, late.closeCode]);
  equal(sockets.length, 2);
}));

for (const url of ["ws://", "ws://127.0.0.1:99999/mqtt", "/mqtt", ""]) {
  test(`the URL ${JSON.stringify(url)} fails as it does after the wasm has loaded`, (place) => loading(place, async ({ sockets, arrive, client, loaded }) => {
    const attempt = client.connect({ url, reconnect: false });
    attempt.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve));
    if (!/^ws/.test(url)) equal(sockets.length, 0);
    arrive();
    const early = await rejects(attempt);
    await loaded;
    const late = await rejects(client.connect({ url, reconnect: false }));
    equal([early.name, early.code, early.message], [late.name, late.code, late.message]);
    ok(/^ERR_(URL|WEBSOCKET)$/.test(early.code), `${early.code} is the code of a wrong URL`);
  }));
}

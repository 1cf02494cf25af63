// The service worker of the console page. It keeps a copy of the page, so that the page opens without its server. While the
// server can be reached, every file comes from the server. It leaves all other requests to the browser: the demos, local.json
// with its keys, the services of the stand-in, and everything but GET.

const NAME = "iot-console-", CACHE = `${NAME}1`; // a change of the number deletes the copy
const MAX_FILES = 400, MAX_BYTES = 32 << 20;
const base = new URL("./", location.href);

/** The files of the page: index.html, the modules, the wasm, the manifest, and the folders console and iot. */
const OURS = /^(?:index\.html|[\w.-]+\.(?:js|wasm|webmanifest)|(?:console|iot)\/[\w./-]+)?$/;

/** The address of the wasm without its query. */
const WASM = new URL("iot.wasm", base).href;

/** Returns the address of a file of the page, or undefined if the address is another one. @param {string | URL} address */
function fileOf(address) {
  const url = new URL(address, base);
  const path = url.href.startsWith(base.href) && !url.search ? url.pathname.slice(base.pathname.length) : "?";
  if (!OURS.test(path) || path === "sw.js") return undefined;
  return new URL(path === "index.html" ? "./" : path, base).href;
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(refresh());
});

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith(NAME) && name !== CACHE) await caches.delete(name);
  await self.clients.claim();
})()));

// The page sends "refresh" after each load.
self.addEventListener("message", (event) => event.data === "refresh" && event.waitUntil(refresh().catch(() => {})));

self.addEventListener("fetch", (event) => {
  const { request } = event, file = fileOf(request.url);
  if (request.url.startsWith(`${WASM}?`)) event.respondWith(wasmOrCopy(request));
  else if (file && request.method === "GET" && !request.headers.has("range") && !request.headers.has("authorization")) event.respondWith(networkFirst(event, file));
});

/**
 * Responds with the wasm, or with the copy if the server cannot be reached. The query is the build, so the browser may use
 * its HTTP cache as the server permits.
 */
async function wasmOrCopy(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const copy = await caches.match(WASM, { cacheName: CACHE });
    if (copy) return copy;
    throw error;
  }
}

/** Responds with the file of the server, or with the copy if the server cannot be reached. */
async function networkFirst(event, file) {
  let response;
  try {
    response = await fetch(event.request, { cache: "no-cache" });
  } catch (error) {
    const copy = await caches.match(file, { cacheName: CACHE });
    if (copy) return copy;
    throw error;
  }
  if (response.ok && !response.redirected) {
    const copy = response.clone();
    event.waitUntil(caches.open(CACHE).then((cache) => keep(cache, file, copy)).catch(() => {})); // the storage may be full
  }
  return response;
}

/** Stores a response, unless the copy is the same. @param {Cache} cache @param {string} file @param {Response} response */
async function keep(cache, file, response) {
  const copy = await cache.match(file);
  const same = ["etag", "last-modified"].some((name) => response.headers.get(name) && response.headers.get(name) === copy?.headers.get(name));
  if (same) return response.body?.cancel();
  await cache.put(file, response);
}

/**
 * Copies all files of the page. It begins with index.html and follows the names in the files, so that no list of files has to
 * be kept. Removes copies of files that the page does not use any more.
 */
async function refresh() {
  const cache = await caches.open(CACHE);
  const files = new Set([fileOf("./"), WASM]);
  let bytes = 0;
  for (const file of files) { // the loop also visits what it adds
    const response = await fetch(file, { cache: "no-cache" });
    if (!response.ok) {
      files.delete(file);
      continue;
    }
    const isText = !/\.(?:wasm|png)$/.test(file);
    const body = isText ? await response.clone().text() : "";
    bytes += Number(response.headers.get("content-length")) || body.length;
    if (files.size > MAX_FILES || bytes > MAX_BYTES) throw new Error("the page has more files than the service worker may keep");
    for (const name of namesIn(file, body)) {
      const found = fileOf(name);
      if (found) files.add(found);
    }
    await keep(cache, file, response);
  }
  for (const { url } of await cache.keys()) if (!files.has(url)) await cache.delete(url);
}

/** Returns the addresses that a file contains. @param {string} file @param {string} text @returns {string[]} */
function namesIn(file, text) {
  const all = (pattern, from) => [...text.matchAll(pattern)].map(([, name]) => new URL(name, from).href);
  if (file.endsWith(".css")) return all(/(?:url\(|@import )\s*["']?([^"')]+)/g, file);
  if (file.endsWith(".webmanifest")) return all(/"src":\s*"([^"]+)"/g, file);
  if (file.endsWith(".js")) {
    return [
      ...all(/\b(?:from|import)\s*\(?\s*["'](\.[^"']+\.js)["']/g, file),
      ...[...text.matchAll(/\bstylesheet\("(\w+)"\)/g)].map(([, name]) => new URL(`console/css/${name}.css`, base).href), // ui/stylesheet.js
      ...all(/["'](console\/[\w./-]+\.(?:css|js))["']/g, base.href),
    ];
  }
  if (file !== base.href) return [];
  const views = [...text.matchAll(/data-view="(\w+)"/g)].flatMap(([, name]) => [`console/views/${name}/${name}.js`, `console/css/${name}.css`]);
  return [...all(/\b(?:href|src)="([^"#]+)"/g, base.href), ...views.map((name) => new URL(name, base).href)];
}

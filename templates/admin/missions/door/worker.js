/* Opens the door list on a device without a line. It keeps the door's own pages and nothing else of the desk, for half a
   day at most; whatever but such a page answers in its place, as after a log-out, the kept ones go. */
"use strict";
const STORE = "door", OLDEST = 12 * 3600 * 1000, PATIENCE = 8000;
const scope = new URL(self.registration.scope).pathname;

async function keep(address, response) {
  const headers = new Headers(response.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);  // it is unpacked
  headers.set("X-Kept-At", Date.now());
  const store = await caches.open(STORE);
  await store.put(address, new Response(await response.blob(), { status: 200, headers }));
}

async function kept(address) {
  const found = await caches.match(address, { ignoreVary: true });
  const age = found && Date.now() - Number(found.headers.get("X-Kept-At"));
  return found && age < OLDEST ? found : null;
}

const isList = (response) => response.ok && !response.redirected && response.headers.get("X-Door-List") === "keep";
const isPage = (address) => address.startsWith(scope) && /^(\d+\/)?$/.test(address.slice(scope.length));

/* Once it is there: so that a page opened before the worker was there is kept too. */
async function fetchAndKeep(address) {
  try {
    const response = await fetch(address, { credentials: "same-origin", redirect: "manual" });
    if (isPage(address) ? isList(response) : response.ok) await keep(address, response);
    return response.ok;
  } catch { return false; }
}

async function page(request, address) {
  const line = fetch(request).then(async (response) => {
    if (isList(response)) await keep(address, response.clone());
    else if (response.status < 500) await caches.delete(STORE);  // logged out, locked, or no longer allowed
    return response;
  });
  const late = new Promise((resolve) => { setTimeout(resolve, PATIENCE); });
  try {
    const response = await Promise.race([line, late]);
    if (response && response.status < 500) return response;
    return (await kept(address)) || response || await line;
  } catch (broken) {
    const found = await kept(address);
    if (found) return found;
    throw broken;
  }
}

async function part(request, address) {
  const found = await kept(address);
  try {
    const response = await fetch(request);
    if (response.ok) await keep(address, response.clone());
    return response;
  } catch (broken) {
    if (found) return found;
    throw broken;
  }
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  const all = Promise.all(event.data.map(fetchAndKeep));
  event.waitUntil(all.then((done) => event.source.postMessage(done.every(Boolean))));
});
self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || url.search) return;
  if (request.mode === "navigate" && isPage(url.pathname)) event.respondWith(page(request, url.pathname));
  else if (["style", "script"].includes(request.destination)) event.respondWith(part(request, url.pathname));
});

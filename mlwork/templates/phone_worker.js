// Keeps every file of one version on the device and answers from there; a new version is fetched whole, or not at all.
const VERSION = "{{version}}", FILES = ["{{files}}"];
const MINE = `mlwork ${self.registration.scope} `, NAME = MINE + VERSION;

async function fetched(file) {
  const got = await fetch(file, { cache: "reload" });
  if (!got.ok) throw new Error(`${file}: ${got.status}`);
  return new Response(await got.blob(), { headers: { "Content-Type": got.headers.get("Content-Type") ?? "" } }); // never a redirect
}

async function install() {
  const cache = await caches.open(NAME);
  await Promise.all(FILES.map(async file => cache.put(file, await fetched(file))));
}

async function activate() {
  const old = (await caches.keys()).filter(name => name.startsWith(MINE) && name !== NAME);
  await Promise.all(old.map(name => caches.delete(name)));
  await self.clients.claim();
}

async function answered(request) {
  const cache = await caches.open(NAME), home = request.url.split(/[?#]/)[0] === self.registration.scope;
  return (await cache.match(home ? "index.html" : request, { ignoreSearch: true })) ?? fetch(request);
}

self.addEventListener("install", event => event.waitUntil(install()));
self.addEventListener("activate", event => event.waitUntil(activate()));
self.addEventListener("message", event => { if (event.data === "take over") self.skipWaiting(); });
self.addEventListener("fetch", event => {
  if (event.request.method === "GET" && event.request.url.startsWith(self.registration.scope)) event.respondWith(answered(event.request));
});

// @ts-check
// Keeps the log page of one district, the sheets of plans that were opened, and what they are made
// of, for when there is no connection.
// With a connection every answer comes from the server; the copy is younger than a shift is long.
"use strict";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const KEPT = `log ${worker.registration.scope}`;
const LONGEST_MS = 18 * 60 * 60 * 1000;
const AT = "X-Kept-At";
const page = new URL("log", worker.registration.scope);
const SHEET = /\/plans\/[^/]+\/sheet$/;

/** @type {(request: string, answer: Response) => Promise<void>} */
const keep = async (request, answer) => {
  const headers = new Headers(answer.headers);
  headers.set(AT, String(Date.now()));
  const copy = new Response(await answer.blob(), { status: 200, headers });
  await (await caches.open(KEPT)).put(request, copy);
};
const forget = async () => caches.delete(KEPT);

/** @type {(request: string) => Promise<Response | undefined>} */
const kept = async (request) => {
  const found = await (await caches.open(KEPT)).match(request, { ignoreVary: true });
  if (!found || Date.now() - Number(found.headers.get(AT)) > LONGEST_MS) return undefined;
  return found;
};

// Nobody is signed in any more (led to the sign-in), or the log is not this person's.
/** @type {(answer: Response) => boolean} */
const isClosed = (answer) => answer.type === "opaqueredirect" || answer.redirected || answer.status === 403 || answer.status === 404;

/** @type {(request: Request) => Promise<Response>} */
const fetchKeeping = async (request) => {
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected && answer.type === "basic") await keep(request.url, answer.clone());
    else if (request.url.split("?")[0] === page.href && isClosed(answer)) await forget();
    return answer;
  } catch (error) {
    const found = await kept(request.url);
    if (found) return found;
    throw error;
  }
};

/** @type {(part: string, base?: string) => Promise<void>} */
const keepPart = async (part, base = worker.location.origin) => {
  const address = new URL(part, base).href;
  const answer = await fetch(address);
  if (!answer.ok) return;
  await keep(address, answer.clone());
  if (!address.endsWith(".css")) return;
  const named = [...(await answer.text()).matchAll(/url\("?([^)"]+)"?\)/g)].map((found) => found[1]);
  await Promise.all([...new Set(named)].filter((one) => !one.startsWith("data:")).map((one) => keepPart(one, address)));
};

// The page and all that it names are fetched once more at first, as it was open before this was.
const fill = async () => {
  const answer = await fetch(page, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  const text = await answer.clone().text();
  await keep(page.href, answer);
  const parts = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map((found) => found[1]);
  await Promise.all([...new Set(parts)].map((part) => keepPart(part)));
};

worker.addEventListener("install", (event) => {
  worker.skipWaiting();
  event.waitUntil(fill().catch(() => {}));
});
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== worker.location.origin) return;
  const isPage = request.mode === "navigate" && (address.pathname === page.pathname || SHEET.test(address.pathname));
  if (isPage || address.pathname.startsWith("/static/")) event.respondWith(fetchKeeping(request));
});

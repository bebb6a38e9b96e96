// @ts-check
// Who is not signed in reads nothing of what was kept for a log without a connection: its copies
// and its worker go. Visits that wait to be sent stay, as only their person can send them.
"use strict";

(() => {
  if ("caches" in window) {
    caches.keys().then((names) => names.filter((name) => name.startsWith("log ")).forEach((name) => caches.delete(name))).catch(() => {});
  }
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.getRegistrations().then((found) => found.forEach((one) => one.unregister())).catch(() => {});
  }
})();

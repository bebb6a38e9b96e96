// @ts-check
// Visits on a telephone: kept in the browser the moment they start or end, sent when there is a
// connection, each under an id made here, which the server takes once. Every text is set as text.
"use strict";

// The visits as a list that is kept; each function makes a new list.
const VisitQueue = (() => {
  /**
   * A visit as this telephone keeps it; times in milliseconds since 1970. It "waits" until the
   * server has what is known of it, is "sent" once it has, or was "refused" with a reason.
   * @typedef {{ id: string, city: string, district: string, person: string, run: string, zone: string, unit: string,
   *   start_ms: number, end_ms: number | null, activity: string, note: string, state: "waits" | "sent" | "refused",
   *   tried?: boolean, dropped?: boolean, why?: string }} Visit
   */
  const DAY_MS = 24 * 60 * 60 * 1000;
  const AT_A_TIME = 25;
  const SENT = /** @type {const} */ (["id", "run", "zone", "unit", "start_ms", "end_ms", "activity", "note", "dropped"]);

  /** @type {(text: string | null) => Visit[]} */
  const parse = (text) => {
    try {
      const found = JSON.parse(text || "[]");
      return Array.isArray(found) ? found : [];
    } catch { return []; }
  };
  /**
   * All but what was sent, has ended and is older than a day.
   * @type {(visits: Visit[], nowMs: number) => Visit[]}
   */
  const young = (visits, nowMs) => visits.filter((one) => one.state !== "sent" || one.end_ms === null || nowMs - one.start_ms < DAY_MS);
  /** @type {(visits: Visit[], id: string, values: Partial<Visit>) => Visit[]} */
  const changed = (visits, id, values) => visits.map((one) => (one.id === id ? { ...one, ...values } : one));
  /**
   * Take a visit back: what the server has, or may have, is withdrawn there; the rest is dropped here.
   * @type {(visits: Visit[], visit: Visit) => Visit[]}
   */
  const undone = (visits, visit) => (visit.state === "waits" && !visit.tried
    ? visits.filter((other) => other.id !== visit.id)
    : changed(visits, visit.id, { end_ms: visit.start_ms, dropped: true, state: "waits" }));
  /** @type {(visits: Visit[]) => Visit[]} */
  const waiting = (visits) => visits.filter((one) => one.state === "waits").slice(0, AT_A_TIME);
  /** @type {(visits: Visit[]) => { visits: Partial<Visit>[] }} */
  const body = (visits) => ({ visits: visits.map((one) => Object.fromEntries(SENT.map((name) => [name, one[name]]))) });
  /**
   * What the server answered to those that were sent; one that ended meanwhile still waits.
   * @type {(visits: Visit[], sent: Visit[], answer: { taken: { id: string }[], refused: { id: string, why: string }[] }) => Visit[]}
   */
  const answered = (visits, sent, { taken, refused }) => visits.map((one) => {
    const before = sent.find(({ id }) => id === one.id);
    const no = refused.find(({ id }) => id === one.id);
    if (no) return { ...one, state: "refused", why: no.why };
    const whole = before && one.end_ms === before.end_ms && taken.some(({ id }) => id === one.id);
    return whole ? { ...one, state: "sent" } : one;
  });
  /**
   * A version 4 UUID of 16 random bytes.
   * @type {(bytes: Uint8Array) => string}
   */
  const uuid = (bytes) => {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  };
  return { parse, young, changed, undone, waiting, body, answered, uuid };
})();

(() => {
  const frame = document.getElementById("log");
  if (!frame) return;
  /**
   * What the page was made with; a plan is visits by unit.
   * @typedef {{ code: string, name: string, factors: string[], rings: [number, number][][] }} Zone
   * @type {{ city: string, district: string, person: string, run: string, timezone: string, ahead_ms: number,
   *   zones: Zone[], plan: Record<string, { zone: string, clock: string }[]>, activities: string[],
   *   logged: { id: string, zone: string, unit: string }[], longest: { note: number },
   *   us_units: boolean, token: string, take: string, sign_in: string, worker: string, scope: string }}
   */
  const told = JSON.parse(frame.dataset.log);
  const STORE = "saferground.visits";
  const UNIT = "saferground.unit";
  /** @type {(id: string) => Part} */
  const at = (id) => document.getElementById(id);
  const now = () => Date.now() + told.ahead_ms; // a synthetic city has a calendar of its own
  /** @type {(ms: number) => string} */
  const clock = (ms) => new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: told.timezone }).format(ms);
  /** @type {(code: string) => string} */
  const nameOf = (code) => (told.zones.find((zone) => zone.code === code) || { name: code }).name;
  /** @type {(name: string, text?: string, kind?: string) => any} */
  const element = (name, text, kind) => {
    const one = document.createElement(name);
    if (text !== undefined) one.textContent = text;
    if (kind) one.className = kind;
    return one;
  };
  const newId = () => (crypto.randomUUID ? crypto.randomUUID() : VisitQueue.uuid(crypto.getRandomValues(new Uint8Array(16))));

  const read = () => VisitQueue.parse(localStorage.getItem(STORE));
  /** @type {(visits: ReturnType<typeof read>) => void} */
  const write = (visits) => localStorage.setItem(STORE, JSON.stringify(VisitQueue.young(visits, now())));
  /** @type {(id: string, values: object) => void} */
  const change = (id, values) => write(VisitQueue.changed(read(), id, values));
  /** @type {(one: ReturnType<typeof read>[number]) => boolean} */
  const here = (one) => one.city === told.city && one.district === told.district && one.person === told.person;
  const mine = () => read().filter(here);
  const running = () => mine().find((one) => one.end_ms === null && one.state !== "refused");

  /** @type {(metres: number) => string} */
  const length = (metres) => {
    const [whole, small] = told.us_units ? [1609.344, "feet"] : [1000, "m"];
    if (metres >= 0.2 * whole) return `${(metres / whole).toFixed(1)} ${told.us_units ? "miles" : "km"}`;
    const units = metres / (told.us_units ? 0.3048 : 1);
    return `${Math.max(10, Math.round(units / 10) * 10)} ${small}`;
  };
  // The position stays in this browser: only the zone that somebody then starts in is kept.
  const locate = () => {
    const line = at("log-here");
    line.textContent = "Looking for your position.";
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      const found = Nearby.find(told.zones, [coords.longitude, coords.latitude]);
      if (!found) { line.textContent = "There is no zone here."; return; }
      const { code, name } = told.zones[found.number];
      const sure = `Your position is accurate to ${length(coords.accuracy)}.`;
      line.textContent = found.metres ? `You are in no zone. The nearest is ${name}, ${length(found.metres)} ${found.way} of you. ${sure} ` : `You are in ${name}. ${sure} `;
      const button = element("button", "Start here");
      button.setAttribute("aria-label", `Start here, ${name}`);
      button.addEventListener("click", () => start(code));
      line.append(button);
    }, () => { line.textContent = "Your position cannot be found. Choose the zone from the list."; }, { enableHighAccuracy: true, timeout: 20000 });
  };

  /** @type {(zone: string) => void} */
  const start = (zone) => {
    const unit = at("log-unit").value.trim();
    if (!unit) { trouble("Name your unit first."); at("log-unit").focus(); return; }
    localStorage.setItem(UNIT, unit);
    trouble("");
    write([...read(), {
      id: newId(), city: told.city, district: told.district, person: told.person, run: told.run,
      zone, unit, start_ms: now(), end_ms: null, activity: told.activities[0], note: "", state: "waits",
    }]);
    show();
    send();
    at("log-end").focus();
  };
  const end = () => {
    const one = running();
    if (!one) return;
    change(one.id, { end_ms: Math.max(now(), one.start_ms), note: at("log-note").value.trim(), state: "waits" });
    at("log-note").value = "";
    show();
    send();
    at("log-choose-title").scrollIntoView();
  };
  const undo = () => {
    const one = running();
    if (!one) return;
    write(VisitQueue.undone(read(), one));
    at("log-note").value = "";
    show();
    send();
  };

  let busy = false;
  let again = false;
  const send = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try { await sendWaiting(); } catch (error) { state("off"); } finally {
      busy = false;
      show();
      if (again) { again = false; send(); }
    }
  };
  const sendWaiting = async () => {
    const waiting = VisitQueue.waiting(mine());
    if (!waiting.length) return;
    const asked = await fetch(told.token, { redirect: "manual", cache: "no-store" });
    if (asked.type === "opaqueredirect") { session(); return; }
    if (!asked.ok) { trouble(`The server does not take visits at the moment (${asked.status}). They stay on this telephone.`); return; }
    const { token, person } = await asked.json();
    if (person !== told.person) { trouble(`${person} is signed in now, and this page is ${told.person}'s. Reload the page.`); return; }
    for (const one of waiting) change(one.id, { tried: true });
    const body = JSON.stringify(VisitQueue.body(waiting));
    const answer = await fetch(told.take, { method: "POST", redirect: "manual", headers: { "Content-Type": "application/json", "X-CSRFToken": token }, body });
    if (answer.type === "opaqueredirect") { session(); return; }
    if (!answer.ok) { trouble(`The server did not take the visits (${answer.status}). They stay on this telephone.`); return; }
    write(VisitQueue.answered(read(), waiting, await answer.json()));
    trouble("");
    if (mine().some((one) => one.state === "waits")) again = true;
  };
  const session = () => {
    trouble("Your session has ended. Your visits stay on this telephone until you sign in again.");
    const link = element("a", "Sign in and send them");
    link.href = told.sign_in;
    at("log-trouble").append(" ", link);
  };

  /** @type {(text: string) => void} */
  const trouble = (text) => {
    at("log-trouble").textContent = text;
    at("log-trouble").hidden = !text;
  };
  let reached = true;
  /** @type {(what: string) => void} */
  const state = (what) => { reached = what !== "off"; };

  const show = () => {
    if (navigator.onLine) { if (!mine().some((one) => one.state === "waits")) reached = true; } else reached = false;
    const waiting = mine().filter((one) => one.state === "waits").length;
    const count = waiting === 1 ? "1 visit waits" : `${waiting} visits wait`;
    const line = at("log-state");
    const off = navigator.onLine && reached ? "" : "No connection. ";
    const said = waiting ? `${off}${count} on this telephone to be sent.` : `${off}${off ? "Visits are kept on this telephone until there is one." : "Everything is sent."}`;
    if (line.textContent !== said) line.textContent = said;
    line.classList.toggle("waits", waiting > 0 || off !== "");
    showRunning();
    showOrder();
    showKept();
  };
  const showRunning = () => {
    const one = running();
    at("log-running").hidden = !one;
    at("log-choose").hidden = Boolean(one);
    if (!one) return;
    at("log-running-title").textContent = `${nameOf(one.zone)}, unit ${one.unit}`;
    const minutes = Math.floor((now() - one.start_ms) / 60000);
    at("log-minutes").textContent = `${minutes} min`;
    at("log-since").textContent = `since ${clock(one.start_ms)}`;
    for (const tick of document.querySelectorAll("#log-activities input")) tick.checked = tick.value === one.activity;
  };
  const showOrder = () => {
    const unit = at("log-unit").value.trim();
    const visits = told.plan[unit] || [];
    at("log-planned").hidden = !visits.length;
    const made = new Map();
    const known = mine().filter((one) => !one.dropped && one.state !== "refused");
    const ids = new Set(mine().map((one) => one.id));
    const all = [...known, ...told.logged.filter((one) => !ids.has(one.id))].filter((one) => one.unit === unit);
    for (const one of all) made.set(one.zone, (made.get(one.zone) || 0) + 1);
    const left = visits.map(({ zone }) => {
      const count = made.get(zone) || 0;
      if (count) made.set(zone, count - 1);
      return !count;
    });
    const due = left.indexOf(true);
    const order = [...visits.keys()].sort((a, b) => Number(left[b]) - Number(left[a]) || a - b);
    at("log-order").replaceChildren(...order.map((place) => stop(visits[place], left[place], place === due)));
  };
  /**
   * A planned visit: one that is left, or was made and can be made again; the next one stands out.
   * @type {(visit: { zone: string, clock: string }, left: boolean, due: boolean) => HTMLElement}
   */
  const stop = ({ zone, clock: planned }, left, due) => {
    const item = element("li", undefined, left ? due ? "due" : "" : "done");
    const name = element("span", due ? "Next, " : "");
    name.append(`${planned} `, element("strong", nameOf(zone)));
    const factors = (told.zones.find((other) => other.code === zone) || { factors: /** @type {string[]} */ ([]) }).factors;
    if (factors.length) name.append(element("span", factors.map((factor) => factor.replaceAll("_", " ")).join(", "), "quiet"));
    if (!left) name.append(element("span", "logged", "quiet"));
    const button = element("button", left ? "Start" : "Again", left ? "" : "plain");
    button.setAttribute("aria-label", `${left ? "Start" : "Again"} ${nameOf(zone)}, planned ${planned}`);
    button.addEventListener("click", () => start(zone));
    item.append(name, button);
    return item;
  };
  const showKept = () => {
    const others = read().filter((one) => !here(one) && one.state !== "sent");
    const shown = mine().filter((one) => (one.end_ms !== null && !one.dropped) || one.state === "refused").sort((a, b) => b.start_ms - a.start_ms);
    at("log-none").hidden = shown.length + others.length > 0;
    at("log-kept").replaceChildren(
      ...shown.map((one) => {
        const item = element("li", `${nameOf(one.zone)}, ${clock(one.start_ms)}${one.end_ms === null ? "" : ` to ${clock(one.end_ms)}`} `);
        const words = { sent: "sent", waits: "waits to be sent", refused: `not taken: ${one.why}` };
        item.append(element(one.state === "sent" ? "span" : "strong", words[one.state], one.state === "sent" ? "quiet" : one.state === "refused" ? "fault-word" : ""));
        if (one.state === "refused") {
          const button = element("button", "Remove from this telephone", "plain small");
          button.addEventListener("click", () => { write(read().filter((other) => other.id !== one.id)); show(); });
          item.append(" ", button);
        }
        return item;
      }),
      ...others.map((one) => element("li", one.person === told.person ? `A visit in ${one.district} waits; open that district's log to send it.` : `A visit waits until ${one.person} signs in on this telephone.`)),
    );
  };

  const furnish = () => {
    at("log-unit").value = localStorage.getItem(UNIT) || Object.keys(told.plan)[0] || "";
    at("log-units").append(...Object.keys(told.plan).map((unit) => { const one = element("option"); one.value = unit; return one; }));
    at("log-zone").append(...told.zones.map(({ code, name }) => { const one = element("option", name); one.value = code; return one; }));
    at("log-activities").append(...told.activities.map((activity) => {
      const line = element("label");
      const tick = document.createElement("input");
      tick.type = "radio";
      tick.name = "log-activity";
      tick.value = activity;
      tick.addEventListener("change", () => { const one = running(); if (one) change(one.id, { activity }); });
      line.append(tick, element("span", activity));
      return line;
    }));
    at("log-note").maxLength = told.longest.note;
    const one = running();
    if (one) at("log-note").value = one.note;
    at("log-note").addEventListener("input", () => { const other = running(); if (other) change(other.id, { note: at("log-note").value }); });
    at("log-unit").addEventListener("input", showOrder);
    at("log-start").addEventListener("click", () => start(at("log-zone").value));
    at("log-end").addEventListener("click", end);
    at("log-undo").addEventListener("click", undo);
    at("log-locate").addEventListener("click", locate);
    at("log-locate").hidden = !("geolocation" in navigator) || !told.zones.length;
    frame.hidden = false;
  };

  furnish();
  show();
  send();
  addEventListener("online", () => { reached = true; send(); });
  addEventListener("offline", show);
  addEventListener("storage", show);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  setInterval(() => { showRunning(); if (mine().some((one) => one.state === "waits")) send(); }, 20000);
  if ("serviceWorker" in navigator) navigator.serviceWorker.register(told.worker, { scope: told.scope }).catch(() => {});
})();

// @ts-check
// Click a place: what is here, in the words of the server, and a mark on the map.
"use strict";

const Here = (() => {
  /** @type {(name: string) => Part} */
  const page = (name) => document.getElementById(name);
  /** @type {L.Map} */
  let map = null;
  /** @type {L.CircleMarker | null} */
  let mark = null;
  let asked = 0;

  /** @type {(at: Place | null) => void} */
  const put = (at) => {
    if (mark) mark.remove();
    mark = at && L.circleMarker(at, { pane: SaferGround.pane(map, "marks", 640), interactive: false, radius: 9, color: "#16233b", weight: 3, fillColor: "#ffffff", fillOpacity: 0.5 }).addTo(map);
  };
  /** @type {(at: Place) => string} */
  const text = ([lat, lon]) => `${lat.toFixed(5)},${lon.toFixed(5)}`;
  /** @type {(words: string) => void} */
  const write = (words) => {
    const line = document.createElement("p");
    line.textContent = words;
    page("here").replaceChildren(line);
    page("here").hidden = false;
  };
  /** @type {(at: Place, how: { focus: boolean, near: boolean }) => Promise<void>} */
  const fill = async (at, { focus, near }) => {
    const turn = ++asked;
    const said = Address.read();
    said.set("at", text(at));
    write(Words.say("looking")); // never the answer to what was asked before
    let told = null;
    try {
      const answer = await fetch(`${page("map-frame").dataset.here}?${said}`);
      told = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("here");
    } catch (error) {
      console.error(error);
    }
    if (turn !== asked) return;
    if (!told) { write(Words.say("here_failed")); return; }
    page("here").replaceChildren(...document.importNode(told, true).childNodes);
    page("here").hidden = false;
    const close = page("here-close");
    if (close) close.hidden = false;
    if (focus) page("here-title").focus();
    else if (near && matchMedia("(max-width: 60rem)").matches) page("here").scrollIntoView({ block: "nearest" });
  };
  /** @type {(at: Place, how?: { focus?: boolean, step?: boolean, street?: string }) => void} */
  const show = (at, { focus = false, step = true, street = "" } = {}) => {
    put(at);
    if (step) Address.put({ at: text(at), street, place: "" }, true);
    page("centre").value = text(at);
    fill(at, { focus, near: step }).catch(console.error);
  };
  const clear = () => {
    asked += 1;
    put(null);
    page("here").hidden = true;
    page("here").replaceChildren();
  };
  // A search without an answer says so itself; no former answer stands.
  const fail = () => {
    clear();
    Address.put({ at: "", street: "", place: "" });
  };
  /** @type {() => Place | null} */
  const wanted = () => {
    const [lat, lon, ...more] = (Address.read().get("at") || "").split(",").map(Number);
    return Number.isFinite(lat) && Number.isFinite(lon) && !more.length ? [lat, lon] : null;
  };
  const restore = () => {
    const at = wanted();
    if (at) show(at, { step: false });
    else clear();
  };

  document.addEventListener("saferground:map", ({ detail }) => {
    map = detail.map;
    map.on("click", ({ latlng }) => { if (!Area.drawing()) show([latlng.lat, latlng.lng]); });
    page("here").addEventListener("click", (event) => {
      const { target } = event;
      const { id, dataset } = /** @type {HTMLElement} */ (target);
      if (dataset.zone) SaferGround.choose(dataset.zone, { focus: true });
      if (dataset.zone) event.preventDefault();
      if (id !== "here-close") return;
      clear();
      Address.put({ at: "", street: "" }, true);
      if (page("place")) page("place").focus();
    });
    document.addEventListener("saferground:filter", ({ detail: { restored } }) => { if (mark && !restored) restore(); });
    addEventListener("popstate", restore);
    const at = wanted();
    if (at) {
      restore();
      if (!Address.read().get("view")) map.setView(at, 16, { animate: false });
    }
  });
  return { show, fail };
})();

// @ts-check
// The map of a release's own page: everything is drawn from files beside it.
"use strict";

/**
 * What lies under the map of a release that has no file of tiles.
 * @type {(map: L.Map, base: any) => void}
 */
const ways = (map, base) => {
  /** @type {(name: string, order: number) => string} */
  const pane = (name, order) => { map.createPane(name).style.zIndex = String(order); return name; };
  const [ground, above] = [pane("ground", 210), pane("ways", 310)];
  /** @type {Record<number, [string, number]>} */
  const streets = { 1: ["#a8a297", 2.4], 2: ["#c6c1b7", 1.3], 3: ["#dedad2", 0.8] };
  /** @type {Record<string, string>} */
  const fills = { limit: "#fbfaf7", water: "#bdd3e2", park: "#dfe7d6" };
  const low = L.canvas({ pane: ground }), high = L.canvas({ pane: above });
  const order = ["limit", "park", "water", "street", "rail"];
  base.features.sort((/** @type {BaseFeature} */ a, /** @type {BaseFeature} */ b) => order.indexOf(a.properties.kind) - order.indexOf(b.properties.kind));
  L.geoJSON(base, {
    interactive: false,
    style: ({ properties: { kind, rank } }) => {
      if (fills[kind]) return { renderer: low, stroke: kind === "limit", color: "#5b6475", weight: 1.5, fillColor: fills[kind], fillOpacity: 1 };
      const [color, weight] = streets[rank] || streets[3];
      return { renderer: high, color, weight, fill: false };
    },
  }).addTo(map);
};

(async () => {
  const frame = document.getElementById("map");
  const told = frame.dataset;
  if (!told.zones || !window.L) return;
  /** @type {(name: string) => Promise<any>} */
  const read = async (name) => {
    const answer = await fetch(told.folder + name);
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer.json();
  };
  let files;
  try {
    files = await Promise.all([told.districts, told.zones, ...(told.tiles ? [] : [told.base])].map(read));
  } catch (error) { // opened from a disk, where scripts may read no files: the picture stays
    console.warn(error);
    return;
  }
  const [districts, zones, base] = files;
  const picture = frame.firstElementChild;
  picture.remove();
  const map = L.map(frame, { attributionControl: false, zoomSnap: 0.25 });
  map.fitBounds(L.geoJSON(districts).getBounds(), { animate: false });
  try {
    if (told.tiles) await BaseMap.draw(map, told.folder + told.tiles, told.attribution);
    else ways(map, base);
  } catch (error) { // a host that sends no parts of a file
    console.warn(error);
    ways(map, await read(told.base));
  }
  const borders = L.geoJSON(districts, { interactive: false, style: { color: "#3d4a63", weight: 1.6, fill: false } }).addTo(map);
  for (const { properties } of districts.features) {
    if (!properties.at) continue;
    const icon = L.divIcon({ className: "district-name", html: "", iconSize: [140, 20] });
    const name = L.marker(properties.at, { icon, interactive: false, keyboard: false });
    name.on("add", () => { name.getElement().textContent = properties.name; }).addTo(map);
  }
  /** @type {(id: string) => void} */
  const choose = (id) => {
    for (const row of document.querySelectorAll("tr.chosen")) row.classList.remove("chosen");
    const row = document.getElementById(id);
    if (!row) return;
    row.classList.add("chosen");
    const district = row.closest("details");
    if (district) district.open = true;
    row.scrollIntoView({ block: "nearest" });
  };
  L.geoJSON(zones, {
    style: { color: "#b8431b", weight: 3, fillOpacity: 0.3 },
    onEachFeature: ({ properties }, /** @type {L.Polygon} */ line) => {
      line.on("click", () => choose(properties.id));
      const number = L.divIcon({ className: "zone-number", html: "", iconSize: [22, 22] });
      const mark = L.marker(line.getBounds().getCenter(), { icon: number, keyboard: true, title: properties.title, alt: properties.title });
      mark.on("add", () => { mark.getElement().textContent = String(properties.rank); });
      mark.on("keypress", ({ originalEvent }) => { if (originalEvent.key === "Enter") choose(properties.id); });
      mark.on("click", () => choose(properties.id)).addTo(map);
    },
  }).addTo(map);
  L.control.scale().addTo(map);
  map.fitBounds(borders.getBounds(), { animate: false });
})();

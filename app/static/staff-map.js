// @ts-check
// Maps of the staff's pages: each .staff-map fetches its layers (app/maps/staff.py) and draws them
// with legends that switch them. Every text is set as text.
"use strict";

const StaffMap = (() => {
  /** @type {Record<string, any>} */
  const under = { ground: "#fbfaf7", limit: "#5b6475", water: "#bdd3e2", park: "#dfe7d6", rail: "#8b8579", street: { 1: "#a8a297", 2: "#c6c1b7", 3: "#dedad2" } };
  const made = new Map(); // element -> { map, layers }
  let serial = 0;

  /** @type {(name: string, text?: string, kind?: string) => HTMLElement} */
  const element = (name, text, kind) => {
    const one = document.createElement(name);
    if (text !== undefined) one.textContent = text;
    if (kind) one.className = kind;
    return one;
  };
  /** @type {(map: L.Map, name: string, order: number) => string} */
  const pane = (map, name, order) => {
    (map.getPane(name) || map.createPane(name)).style.zIndex = String(order);
    return name;
  };
  /** @type {(bounds: [number, number, number, number]) => [Place, Place]} */
  const corners = ([south, west, north, east]) => [[south, west], [north, east]];
  /** @type {(address: string) => Promise<any>} */
  const load = async (address) => {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return answer.json();
  };

  /** @type {(map: L.Map, address: string) => Promise<void>} */
  const base = async (map, address) => {
    const data = await load(address);
    if (data.tiles) {
      await BaseMap.draw(map, data.tiles, data.attribution, { pane: pane(map, "ground", 210) });
      return;
    }
    const low = L.canvas({ pane: pane(map, "ground", 210), padding: 0.3 });
    /** @type {Record<string, number>} */
    const order = { limit: 0, park: 1, water: 2, street: 3, rail: 4 };
    data.features.sort((/** @type {BaseFeature} */ a, /** @type {BaseFeature} */ b) => order[a.properties.kind] - order[b.properties.kind] || b.properties.rank - a.properties.rank);
    L.geoJSON(data, {
      interactive: false,
      style: ({ properties: { kind, rank } }) => {
        if (kind === "limit") return { renderer: low, color: under.limit, weight: 1.5, fillColor: under.ground, fillOpacity: 1 };
        if (kind === "water" || kind === "park") return { renderer: low, stroke: false, fillColor: under[kind], fillOpacity: 1 };
        if (kind === "rail") return { renderer: low, color: under.rail, weight: 1.6, dashArray: "7 4", fill: false };
        return { renderer: low, color: under.street[rank], weight: [0, 2.4, 1.3, 0.8][rank], fill: false };
      },
    }).addTo(map);
  };

  // Many shapes are drawn on a canvas; few as outlines that can be reached and pressed by keyboard.
  /** @type {(map: L.Map, told: StaffLayer, order: number) => any} */
  const draw = (map, told, order) => {
    const place = pane(map, `layer-${order}`, 400 + order);
    if (told.address) return late(map, told, order);
    if (told.picture) return L.imageOverlay(told.picture, corners(told.bounds), { pane: pane(map, `layer-${order}`, 250 + order), alt: told.title, opacity: 0.9 });
    const many = told.shapes.features.length > 400;
    const renderer = many ? L.canvas({ pane: place, padding: 0.3 }) : L.svg({ pane: place, padding: 0.5 });
    /** @type {(feature: GeoJSON.Feature<any, any>) => string} */
    const colour = (feature) => told.keys[feature.properties.key || 0].colour;
    const leads = told.shapes.features.some(({ properties }) => properties.tip || properties.href);
    // An outline has a light rim, so that it stands out from whatever lies under it. Of a group the
    // one that was made first lies lowest.
    const rim = !told.filled && !many && L.geoJSON(told.shapes, {
      pane: place, interactive: false, pointToLayer: () => null,
      style: { renderer, color: "#ffffff", weight: 5, opacity: 0.85, fill: false },
    });
    const lines = L.geoJSON(told.shapes, {
      pane: place, interactive: leads,
      style: (feature) => ({
        renderer, color: colour(feature), weight: told.weight || (told.filled ? (many ? 0 : 1) : 2.5),
        fill: told.filled || leads, fillColor: colour(feature), fillOpacity: told.filled ? 0.7 : 0.03,
      }),
      pointToLayer: (feature, at) => L.circleMarker(at, { pane: place, renderer, radius: many ? 3 : 5, interactive: leads, weight: 1, color: "#ffffff", fillColor: colour(feature), fillOpacity: 0.9 }),
      onEachFeature: (feature, shape) => furnish(map, feature.properties, shape, colour(feature)),
    });
    if (!rim) return lines;
    return L.featureGroup([rim, lines]);
  };

  // A layer that is fetched when it is switched on for the first time.
  /** @type {(map: L.Map, told: StaffLayer, order: number) => L.LayerGroup} */
  const late = (map, told, order) => {
    const group = L.layerGroup();
    let asked = false;
    group.on("add", async () => {
      if (asked) return;
      asked = true;
      try {
        const { shapes } = await load(told.address);
        group.addLayer(draw(map, { ...told, address: "", shapes }, order));
      } catch (error) {
        asked = false;
        console.error(error);
      }
    });
    return group;
  };

  /** @type {(map: L.Map, facts: { tip?: string, href?: string, label?: string }, shape: any, colour: string) => void} */
  const furnish = (map, { tip, href, label }, shape, colour) => {
    if (label && (tip || href)) nameIt(map, label, shape, colour);
    else if (label) {
      const name = element("span", label);
      shape.bindTooltip(name, { permanent: true, direction: "center", className: "staff-map-label", interactive: false });
    }
    if (tip) shape.bindTooltip(element("span", tip), { sticky: true });
    if (href) shape.on("click", () => location.assign(href));
    if (!tip && !href) return;
    shape.on("add", () => {
      const path = shape.getElement && shape.getElement();
      if (!path || !href) return;
      path.setAttribute("tabindex", "0");
      path.setAttribute("role", "link");
      path.setAttribute("aria-label", tip || label || href);
      path.addEventListener("keydown", (/** @type {KeyboardEvent} */ { key }) => { if (key === "Enter") location.assign(href); });
    });
  };

  // A shape has one tooltip; what has a label besides carries it as a marker at its corner. Of
  // labels that would cover each other the first is shown, the others when there is room.
  const named = new WeakMap(); // map -> its markers
  /** @type {(map: L.Map) => void} */
  const tidy = (map) => {
    /** @type {L.Point[]} */
    const taken = [];
    for (const marker of named.get(map) || []) {
      const place = marker._icon && map.latLngToContainerPoint(marker.getLatLng());
      if (!place) continue;
      const free = taken.every((other) => Math.abs(other.x - place.x) > 20 || Math.abs(other.y - place.y) > 16);
      marker._icon.hidden = !free;
      if (free) taken.push(place);
    }
  };
  /** @type {(map: L.Map, label: string, shape: any, colour: string) => void} */
  const nameIt = (map, label, shape, colour) => {
    const name = element("span", label);
    name.style.borderColor = colour;
    const marker = L.marker(shape.getBounds ? shape.getBounds().getNorthEast() : shape.getLatLng(), {
      interactive: false, keyboard: false, pane: pane(map, "labels", 640),
      icon: L.divIcon({ className: "staff-map-name", html: name, iconSize: [0, 0] }),
    });
    if (!named.has(map)) {
      named.set(map, new Set());
      map.on("zoomend", () => tidy(map));
    }
    shape.on("add", () => { named.get(map).add(marker); marker.addTo(map); });
    shape.on("remove", () => { named.get(map).delete(marker); marker.remove(); });
  };

  /** @type {(frame: Part, map: L.Map, layers: DrawnLayer[], highestFirst: boolean) => void} */
  const legend = (frame, map, layers, highestFirst) => {
    const list = frame.querySelector(".staff-map-legend") || frame.appendChild(element("div", undefined, "staff-map-legend"));
    list.replaceChildren();
    for (const one of highestFirst ? [...layers].reverse() : layers) {
      const { told } = one;
      const block = element("div", undefined, told.group ? "staff-map-layer one-of" : "staff-map-layer");
      const line = element("label");
      const tick = document.createElement("input");
      tick.type = told.group ? "radio" : "checkbox";
      tick.name = `${frame.id}-${told.group || told.name}`;
      tick.checked = told.shown;
      line.append(tick, element("span", told.title));
      block.append(line);
      const keys = element("ul");
      for (const { label, colour } of told.keys) {
        const item = element("li");
        const swatch = element("span", undefined, told.filled === false ? "swatch line" : "swatch");
        swatch.setAttribute("aria-hidden", "true");
        swatch.style.background = colour;
        item.append(swatch, element("span", label));
        keys.append(item);
      }
      if (told.keys.length > 1 || told.keys[0].label !== told.title) block.append(keys);
      else line.querySelector("span").before(keys.querySelector(".swatch"));
      list.append(block);
      tick.addEventListener("change", () => refresh(map, layers, one, tick.checked));
    }
  };
  /** @type {(map: L.Map, layers: DrawnLayer[], one: DrawnLayer, on: boolean) => void} */
  const refresh = (map, layers, one, on) => {
    for (const other of layers) {
      if (other !== one && other.told.group && other.told.group === one.told.group) other.drawn.remove();
    }
    if (on) one.drawn.addTo(map);
    else one.drawn.remove();
    tidy(map);
  };

  // Give an element a map; asked again, the map shows what the address says now. What an address
  // has said already may be given instead of it.
  /** @type {(frame: Part, address?: string | object) => Promise<void>} */
  const show = async (frame, address = frame.dataset.map) => {
    if (!frame.id) frame.id = `staff-map-${serial += 1}`;
    const status = frame.parentElement.querySelector(".staff-map-status");
    try {
      /** @type {any} */
      const told = typeof address === "string" ? await load(address) : address;
      const before = made.get(frame);
      if (before) for (const { drawn } of before.layers) drawn.remove();
      const bounds = corners(told.bounds);
      const map = before ? before.map : start(frame, bounds);
      if (!before && told.base) await base(map, told.base);
      const layers = told.layers.map((/** @type {StaffLayer} */ one, /** @type {number} */ order) => ({ told: one, drawn: draw(map, one, order) }));
      for (const { told: one, drawn } of layers) if (one.shown) drawn.addTo(map);
      legend(frame.parentElement, map, layers, told.highest_first);
      made.set(frame, { map, layers });
      tidy(map);
      if (status) status.textContent = "";
      frame.dataset.drawn = "yes";
      frame.dispatchEvent(new CustomEvent("staffmap:drawn", { bubbles: true, detail: { map, layers } }));
    } catch (error) {
      if (status) status.textContent = "The map could not be loaded. Reload the page to try again.";
      console.error(error);
    }
  };
  /** @type {(frame: Part, bounds: L.LatLngBoundsExpression) => L.Map} */
  const start = (frame, bounds) => {
    const map = L.map(frame, { attributionControl: false, zoomSnap: 0.25 });
    map.fitBounds(bounds, { animate: false, padding: [8, 8] });
    map.setMinZoom(map.getZoom() - 2);
    map.setMaxZoom(19);
    L.control.scale({ maxWidth: 140 }).addTo(map);
    return map;
  };
  /** @type {(frame: Element) => StaffMapDrawn} */
  const mapOf = (frame) => made.get(frame);

  document.addEventListener("DOMContentLoaded", () => {
    for (const frame of document.querySelectorAll(".staff-map[data-map]")) show(frame);
  });
  return { show, mapOf };
})();

// Maps of the staff's pages: each .staff-map fetches its layers (app/maps/staff.py) and draws them
// with legends that switch them. Every text is set as text.
"use strict";

const StaffMap = (() => {
  const under = { ground: "#fbfaf7", limit: "#5b6475", water: "#bdd3e2", park: "#dfe7d6", rail: "#8b8579", street: { 1: "#a8a297", 2: "#c6c1b7", 3: "#dedad2" } };
  const made = new Map(); // element -> { map, layers }
  let serial = 0;

  const element = (name, text, kind) => {
    const one = document.createElement(name);
    if (text !== undefined) one.textContent = text;
    if (kind) one.className = kind;
    return one;
  };
  const pane = (map, name, order) => {
    (map.getPane(name) || map.createPane(name)).style.zIndex = order;
    return name;
  };
  const load = async (address) => {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return answer.json();
  };

  const base = async (map, address) => {
    const data = await load(address);
    const low = L.canvas({ pane: pane(map, "ground", 210), padding: 0.3 });
    const order = { limit: 0, park: 1, water: 2, street: 3, rail: 4 };
    data.features.sort((a, b) => order[a.properties.kind] - order[b.properties.kind] || b.properties.rank - a.properties.rank);
    L.geoJSON(data, {
      interactive: false,
      style: ({ properties: { kind, rank } }) => {
        if (kind === "limit") return { renderer: low, color: under.limit, weight: 1.5, fillColor: under.ground, fillOpacity: 1 };
        if (kind === "water" || kind === "park") return { renderer: low, stroke: false, fillColor: under[kind], fillOpacity: 1 };
        if (kind === "rail") return { renderer: low, color: under.rail, weight: 1.6, dashArray: "7 4", fill: false };
        return { renderer: low, color: under.street[rank], weight: { 1: 2.4, 2: 1.3, 3: 0.8 }[rank], fill: false };
      },
    }).addTo(map);
  };

  // Many shapes are drawn on a canvas; few as outlines that can be reached and pressed by keyboard.
  const draw = (map, told, order) => {
    const place = pane(map, `layer-${order}`, 400 + order);
    if (told.picture) return L.imageOverlay(told.picture, [told.bounds.slice(0, 2), told.bounds.slice(2)], { pane: pane(map, `layer-${order}`, 250 + order), alt: told.title, opacity: 0.9 });
    const many = told.shapes.features.length > 400;
    const renderer = many ? L.canvas({ pane: place, padding: 0.3 }) : L.svg({ pane: place, padding: 0.5 });
    const colour = (feature) => told.keys[feature.properties.key || 0].colour;
    const leads = told.shapes.features.some(({ properties }) => properties.tip || properties.href);
    return L.geoJSON(told.shapes, {
      pane: place, interactive: leads,
      style: (feature) => ({
        renderer, color: colour(feature), weight: told.filled ? (many ? 0 : 1) : 2.5,
        fill: told.filled || leads, fillColor: colour(feature), fillOpacity: told.filled ? 0.7 : 0.03,
      }),
      pointToLayer: (feature, at) => L.circleMarker(at, { pane: place, renderer, radius: many ? 3 : 5, interactive: leads, weight: 1, color: "#ffffff", fillColor: colour(feature), fillOpacity: 0.9 }),
      onEachFeature: (feature, shape) => furnish(map, feature.properties, shape, told.beside),
    });
  };

  const furnish = (map, { tip, href, label }, shape, beside) => {
    if (label) {
      const name = element("span", label);
      const edge = beside && shape.getBounds ? shape.getBounds().getNorthEast() : undefined;
      const words = { permanent: true, direction: edge ? "right" : "center", className: "staff-map-label", interactive: false };
      if (edge) shape.on("add", () => map.addLayer(shape.beside || (shape.beside = L.tooltip({ ...words, offset: [2, 0] }).setLatLng(edge).setContent(name)))).on("remove", () => shape.beside.remove());
      else shape.bindTooltip(name, words);
      if (edge && tip) shape.bindTooltip(element("span", tip), { sticky: true });
    } else if (tip) shape.bindTooltip(element("span", tip), { sticky: true });
    if (href) shape.on("click", () => location.assign(href));
    if (!tip && !href) return;
    shape.on("add", () => {
      const path = shape.getElement && shape.getElement();
      if (!path || !href) return;
      path.setAttribute("tabindex", "0");
      path.setAttribute("role", "link");
      path.setAttribute("aria-label", tip || label || href);
      path.addEventListener("keydown", ({ key }) => { if (key === "Enter") location.assign(href); });
    });
  };

  const legend = (frame, map, layers) => {
    const list = frame.querySelector(".staff-map-legend") || frame.appendChild(element("div", undefined, "staff-map-legend"));
    list.replaceChildren();
    for (const one of layers) {
      const { told } = one;
      const block = element("div", undefined, "staff-map-layer");
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
  const refresh = (map, layers, one, on) => {
    for (const other of layers) {
      if (other !== one && other.told.group && other.told.group === one.told.group) other.drawn.remove();
    }
    if (on) one.drawn.addTo(map);
    else one.drawn.remove();
  };

  // Give an element a map; asked again, the map shows what the address says now.
  const show = async (frame, address = frame.dataset.map) => {
    if (!frame.id) frame.id = `staff-map-${serial += 1}`;
    const status = frame.parentElement.querySelector(".staff-map-status");
    try {
      const told = await load(address);
      const before = made.get(frame);
      if (before) for (const { drawn } of before.layers) drawn.remove();
      const bounds = [told.bounds.slice(0, 2), told.bounds.slice(2)];
      const map = before ? before.map : start(frame, bounds);
      if (!before && told.base) await base(map, told.base);
      const layers = told.layers.map((one, order) => ({ told: one, drawn: draw(map, one, order) }));
      for (const { told: one, drawn } of layers) if (one.shown) drawn.addTo(map);
      legend(frame.parentElement, map, layers);
      made.set(frame, { map, layers });
      if (status) status.textContent = "";
      frame.dataset.drawn = "yes";
      frame.dispatchEvent(new CustomEvent("staffmap:drawn", { bubbles: true, detail: { map, layers } }));
    } catch (error) {
      if (status) status.textContent = "The map could not be loaded. Reload the page to try again.";
      console.error(error);
    }
  };
  const start = (frame, bounds) => {
    const map = L.map(frame, { attributionControl: false, zoomSnap: 0.25 });
    map.fitBounds(bounds, { animate: false, padding: [8, 8] });
    map.setMinZoom(map.getZoom() - 2);
    map.setMaxZoom(19);
    L.control.scale({ maxWidth: 140 }).addTo(map);
    return map;
  };
  const mapOf = (frame) => made.get(frame);

  document.addEventListener("DOMContentLoaded", () => {
    for (const frame of document.querySelectorAll(".staff-map[data-map]")) show(frame);
  });
  return { show, mapOf };
})();

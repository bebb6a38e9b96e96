// @ts-check
// The page's own part of the map. Folium's script calls SaferGround.*; data come by address and
// every text is set as text.
"use strict";

const SaferGround = (() => {
  /** @type {Record<string, any>} */
  const colours = {
    ground: "#fbfaf7", limit: "#5b6475", water: "#bdd3e2", park: "#dfe7d6", rail: "#8b8579",
    street: { 1: "#a8a297", 2: "#c6c1b7", 3: "#dedad2" }, district: "#3d4a63",
    zone: "#b8431b", chosen: "#16233b", casing: "#ffffff",
  };
  /** @type {(name: string) => Part} */
  const page = (name) => document.getElementById(name);
  const frame = page("map-frame");
  const LABEL = 26; // pixels around the city that a number beside its edge takes
  /** @type {Record<string, any>} layers by name */
  const parts = { zones: null, districts: null, surface: null, neighbourhoods: null };
  const outlines = new Map(); // district -> its bounds
  const borders = new Map(); // district -> its shape
  const zones = new Map(); // id -> { feature, line, casing, label }
  /** @type {L.Map} */
  let chart = null;
  /** @type {string | null} */
  let chosen = null;
  let restoring = false;
  /** @type {L.SVG | null} */
  let reaches = null;
  /** @type {L.LatLngBoundsExpression} */
  let home = null;
  let district = "";
  /** @type {(code: string) => string} */
  let tell = () => ""; // what stands under a district's name

  /** @type {(file: string) => Promise<any>} */
  const load = async (file) => {
    const answer = await fetch(frame.dataset.files + file);
    if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
    return answer.json();
  };
  /** @type {(error: unknown) => void} */
  const told = (error) => {
    page("map-status").textContent = Words.say("unloaded");
    console.error(error);
  };
  /**
   * The name of a pane that is made where it is not there yet.
   * @type {(map: L.Map, name: string, order: number) => string}
   */
  const pane = (map, name, order) => {
    const made = map.getPane(name) || map.createPane(name);
    made.style.zIndex = String(order);
    return name;
  };

  /**
   * Room around what is to be seen: the legend may lie over the right of the map.
   * @type {(margin: number) => { paddingTopLeft: [number, number], paddingBottomRight: [number, number] }}
   */
  const around = (margin) => {
    const key = document.querySelector(".map-legend");
    const over = key && key.open && getComputedStyle(key).position === "absolute" ? key.offsetWidth + 12 : 0;
    return { paddingTopLeft: [margin, margin], paddingBottomRight: [margin + over, margin] };
  };

  // What lies under everything: drawn on one canvas below the surface, and streets on one above it.
  /** @type {(map: L.Map, file: string) => void} */
  const base = (map, file) => {
    const low = L.canvas({ pane: pane(map, "ground", 210), padding: 0.3 });
    const high = L.canvas({ pane: pane(map, "ways", 310), padding: 0.3 });
    /** @type {(feature: GeoJSON.Feature<any, { kind: string, rank: number }>) => L.PathOptions} */
    const looks = (feature) => {
      const { kind, rank } = feature.properties;
      if (kind === "limit") return { renderer: low, color: colours.limit, weight: 1.5, fillColor: colours.ground, fillOpacity: 1 };
      if (kind === "water" || kind === "park") return { renderer: low, stroke: false, fillColor: colours[kind], fillOpacity: 1 };
      if (kind === "rail") return { renderer: high, color: colours.rail, weight: 1.6, dashArray: "7 4", fill: false };
      return { renderer: high, color: colours.street[rank], weight: [0, 2.4, 1.3, 0.8][rank], fill: false };
    };
    load(file).then((data) => {
      /** @type {Record<string, number>} */
      const order = { limit: 0, park: 1, water: 2, street: 3, rail: 4 };
      data.features.sort((/** @type {BaseFeature} */ a, /** @type {BaseFeature} */ b) => order[a.properties.kind] - order[b.properties.kind] || b.properties.rank - a.properties.rank);
      L.geoJSON(data, { style: looks, interactive: false }).addTo(map);
    }).catch(told);
  };

  /** @type {(map: L.Map, file: string, attribution: string) => void} */
  const tiles = (map, file, attribution) => {
    BaseMap.draw(map, frame.dataset.files + file, attribution, { pane: pane(map, "ground", 210) }).catch(told);
  };

  /** @type {(map: L.Map, file: string, bounds: L.LatLngBoundsExpression) => void} */
  const surface = (map, file, bounds) => {
    parts.surface = L.imageOverlay(frame.dataset.files + file, bounds, {
      pane: pane(map, "risk", 260), alt: Words.say("surface"), opacity: 0.9,
    });
    if (Filter.now().layers.has("surface")) parts.surface.addTo(map);
  };

  /** @type {(map: L.Map, file: string) => void} */
  const districts = (map, file) => {
    parts.districts = L.layerGroup().addTo(map);
    const options = { pane: pane(map, "borders", 340), interactive: false };
    const fill = { pane: pane(map, "shades", 270), interactive: false };
    load(file).then((data) => {
      for (const feature of data.features) {
        const { code } = feature.properties;
        outlines.set(code, L.geoJSON(feature).getBounds());
        borders.set(code, feature);
        const row = document.querySelector(`#shades-table tr[data-code="${CSS.escape(code)}"]`);
        if (row && row.dataset.shade) L.geoJSON(feature, { ...fill, style: { stroke: false, fillColor: row.dataset.shade, fillOpacity: 0.72 } }).addTo(parts.districts);
      }
      if (district && !Address.read().get("view")) goTo(district);
      L.geoJSON(data, { ...options, style: { color: colours.district, weight: 1.8, fill: false } }).addTo(parts.districts);
      if (data.features.length < 2) return;
      for (const feature of data.features) {
        const name = document.createElement("span");
        name.className = "district-name";
        name.textContent = feature.properties.name;
        const note = document.createElement("small");
        note.dataset.code = feature.properties.code;
        name.append(note);
        Labels.make(name, feature.properties.at, pane(map, "names", 620), 0, { loose: true }).addTo(parts.districts);
      }
      notes(tell);
    }).catch(told);
  };

  /** @type {(map: L.Map, file: string) => void} */
  const neighbourhoods = (map, file) => {
    parts.neighbourhoods = L.layerGroup();
    const options = { pane: pane(map, "parts", 330), interactive: false };
    load(file).then((data) => {
      for (const feature of data.features) {
        L.geoJSON(feature, { ...options, style: { color: colours.limit, weight: 1.2, dashArray: "4 4", fill: false } }).addTo(parts.neighbourhoods);
        const name = document.createElement("span");
        name.className = "district-name part-name";
        name.textContent = feature.properties.name;
        Labels.make(name, feature.properties.at, pane(map, "names", 620), 1e6, { strict: true }).addTo(parts.neighbourhoods);
      }
      refresh();
    }).catch(told);
  };

  /** @type {(map: L.Map, file: string) => void} */
  const drawZones = (map, file) => {
    parts.zones = L.layerGroup().addTo(map);
    const lines = L.svg({ pane: pane(map, "zones", 420), padding: 0.5 });
    load(file).then((data) => {
      for (const feature of data.features) drawZone(map, feature, lines);
      restore();
    }).catch(told);
  };

  /**
   * The rings of a zone, each a list of corners.
   * @type {(line: L.GeoJSON) => L.LatLng[][]}
   */
  const rings = (line) => line.getLayers().flatMap((/** @type {any} */ shape) => shape.getLatLngs()
    .flatMap((/** @type {any} */ part) => (Array.isArray(part[0]) ? part : [part])));
  /**
   * A zone's number as the map has it: of its district, where that has a short code, and its rank.
   * @type {(told: ZoneFacts) => string}
   */
  const short = (told) => {
    const [code] = told.district.match(/\d+$/) || [told.district];
    return code.length > 3 ? String(told.rank) : `${code}.${told.rank}`;
  };
  /**
   * @type {(map: L.Map, feature: GeoJSON.Feature<any, ZoneFacts>, lines: L.SVG) => void}
   */
  const drawZone = (map, feature, lines) => {
    const told = feature.properties;
    const casing = L.geoJSON(feature, { interactive: false, style: { renderer: lines, color: colours.casing, weight: 6, opacity: 0.9, fill: false } });
    const line = L.geoJSON(feature, { bubblingMouseEvents: false, style: { renderer: lines, color: colours.zone, weight: 3, fillColor: colours.zone, fillOpacity: 0.3 } });
    const number = document.createElement("span");
    number.className = "zone-number";
    number.textContent = short(told);
    const bounds = line.getBounds();
    const label = Labels.make(number, bounds.getCenter(), pane(map, "numbers", 610), told.rank, { bounds, strict: true });
    const note = document.createElement("span");
    note.textContent = [told.title, told.reasons[0]].filter(Boolean).join(". ");
    line.bindTooltip(note, { sticky: true, className: "zone-note" });
    const group = L.layerGroup([casing, line, label]).addTo(parts.zones);
    zones.set(told.id, { feature, casing, line, label, group });
    line.on({
      click: () => choose(told.id, { focus: true }),
      mouseover: () => mark(told.id, true),
      mouseout: () => mark(told.id, false),
    });
    line.on("add", () => reachable(line, told));
    reachable(line, told);
  };

  /** @type {() => { id: string, title: string, rings: [number, number][][] }[]} */
  const areas = () => [...zones.values()].map(({ feature: { geometry, properties: { id, title } } }) => ({
    id, title, rings: geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat(),
  }));

  // A zone's outline can be reached and pressed by keyboard, and says its name.
  /** @type {(line: L.GeoJSON, told: ZoneFacts) => unknown} */
  const reachable = (line, told) => line.eachLayer((/** @type {any} */ shape) => {
    const path = shape.getElement();
    if (!path || path.dataset.zone) return;
    path.dataset.zone = told.id;
    path.setAttribute("tabindex", "0");
    path.setAttribute("role", "button");
    path.setAttribute("aria-label", `${told.title}: ${told.reasons[0] || Words.say("no_reason")}`);
    path.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(told.id, { focus: true });
    });
    path.addEventListener("focus", () => mark(told.id, true));
    path.addEventListener("blur", () => mark(told.id, false));
  });

  /** @type {(id: string) => Part} */
  const row = (id) => document.querySelector(`#zone-table tr[data-zone="${CSS.escape(id)}"]`);
  /** @type {(id: string, on: boolean) => void} */
  const mark = (id, on) => {
    const zone = zones.get(id);
    if (zone) zone.line.setStyle({ weight: on || id === chosen ? 5 : 3 });
    if (row(id)) row(id).classList.toggle("over", on);
  };

  /** @type {(id: string | null, how?: { focus?: boolean, move?: boolean, quiet?: boolean }) => void} */
  const choose = (id, { focus = false, move = true, quiet = false } = {}) => {
    const before = chosen;
    chosen = zones.has(id) ? id : null;
    for (const one of [before, chosen]) {
      if (!one || !zones.has(one)) continue;
      const { line, label } = zones.get(one);
      const on = one === chosen;
      line.setStyle({ color: on ? colours.chosen : colours.zone, weight: on ? 5 : 3 });
      if (label.getElement()) label.getElement().firstElementChild.classList.toggle("chosen", on);
      if (row(one)) row(one).classList.toggle("chosen", on);
    }
    const panel = page("zone-panel");
    panel.hidden = !chosen;
    if (chosen) {
      const { feature, line } = zones.get(chosen);
      fill(feature.properties);
      if (move) chart.fitBounds(line.getBounds(), { maxZoom: 15, ...around(60), animate: !matchMedia("(prefers-reduced-motion: reduce)").matches });
      if (focus) page("panel-title").focus({ preventScroll: false });
    }
    if (!quiet) remember(before !== chosen);
  };

  /** @type {(told: ZoneFacts) => void} */
  const fill = (told) => {
    page("panel-title").textContent = told.title;
    page("panel-reasons").replaceChildren(...told.reasons.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
    // Releases of earlier versions do not tell the parts.
    page("panel-figures").textContent = told.parts ? Words.say("figures", { area: told.area, parts: told.parts }) : told.area;
    const anchor = row(told.id) && row(told.id).querySelector("a");
    page("panel-link").href = anchor ? anchor.href : `/zones/${encodeURIComponent(told.id)}`;
  };

  // The address holds zone and view here; filter.js keeps the rest of it.
  /** @type {(step: boolean) => void} */
  const remember = (step) => {
    if (restoring) return;
    const centre = chart.getCenter();
    const view = `${centre.lat.toFixed(5)},${centre.lng.toFixed(5)},${chart.getZoom().toFixed(2)}`;
    Address.put({ zone: chosen, view }, step);
  };
  const restore = () => {
    const now = Address.read();
    restoring = true; // moving the view must not rewrite the address that is being read
    const view = (now.get("view") || "").split(",").map(Number);
    const placed = view.length === 3 && view.every(Number.isFinite);
    if (placed) chart.setView([view[0], view[1]], view[2], { animate: false });
    refresh();
    choose(now.get("zone"), { move: !placed, quiet: true });
    restoring = false;
    return placed;
  };
  const refresh = () => {
    const { layers, district } = Filter.now();
    for (const [name, layer] of Object.entries(parts)) {
      if (!layer) continue;
      if (layers.has(name) && !chart.hasLayer(layer)) layer.addTo(chart);
      if (!layers.has(name) && chart.hasLayer(layer)) layer.remove();
    }
    page("legend-surface").hidden = !layers.has("surface");
    page("legend-zones").hidden = !layers.has("zones");
    if (page("legend-measure")) page("legend-measure").hidden = !layers.has("districts");
    for (const { feature, group, line } of zones.values()) {
      const on = !district || feature.properties.district === district;
      if (on && !parts.zones.hasLayer(group)) parts.zones.addLayer(group);
      if (!on && parts.zones.hasLayer(group)) parts.zones.removeLayer(group);
      if (on && layers.has("zones")) reachable(line, feature.properties);
    }
    const rows = [...document.querySelectorAll("#zone-table tr[data-zone]")];
    for (const line of rows) line.hidden = Boolean(district) && line.dataset.district !== district;
    page("no-zones").hidden = rows.some((line) => !line.hidden);
  };
  /** @type {(code: string) => void} */
  const goTo = (code) => {
    const bounds = code ? outlines.get(code) : home;
    if (bounds) chart.fitBounds(bounds, { ...around(20), maxZoom: 14, animate: false });
  };

  /** @type {(name: string, layer: L.Layer) => void} */
  const part = (name, layer) => { parts[name] = layer; };
  /** @type {(words: (code: string) => string) => void} */
  const notes = (words) => {
    tell = words;
    for (const note of document.querySelectorAll(".district-name small")) note.textContent = tell(note.dataset.code);
    Labels.again();
  };

  /**
   * Where areas are drawn that end at the border of a district.
   * @type {(map: L.Map) => L.SVG}
   */
  const within = (map) => {
    reaches = reaches || L.svg({ pane: pane(map, "reach", 405), padding: 0.5 });
    return reaches;
  };
  // The district's own path cuts what is drawn; the renderer keeps both in step with the map.
  /** @type {(shape: L.Path, code: string) => unknown} */
  const clip = (shape, code) => {
    if (!borders.has(code)) return shape.remove(); // never an area whose end is not known
    const name = `within-${[...borders.keys()].indexOf(code)}`;
    if (!page(name)) {
      const border = L.geoJSON(borders.get(code), { interactive: false, style: { renderer: reaches, stroke: false, fill: false } }).addTo(chart);
      const path = /** @type {any} */ (border.getLayers()[0]).getElement();
      path.id = `${name}-border`;
      const cut = document.createElementNS("http://www.w3.org/2000/svg", "clipPath");
      cut.id = name;
      cut.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
      cut.firstElementChild.setAttribute("href", `#${path.id}`);
      path.ownerSVGElement.append(cut);
    }
    return shape.getElement().setAttribute("clip-path", `url(#${name})`);
  };

  // Parts of the page that come later make the frame smaller: until somebody moves the map, the
  // first view is the whole city.
  /** @type {(map: L.Map) => void} */
  const settle = (map) => {
    const whole = map.getZoom();
    const resized = new ResizeObserver(() => {
      if (Address.read().get("view") || chosen || district || map.getZoom() !== whole) return resized.disconnect();
      map.invalidateSize({ pan: false });
      map.fitBounds(home, { ...around(LABEL), animate: false });
      map.setMinZoom(map.getZoom() - 1);
      return undefined;
    });
    resized.observe(map.getContainer());
    map.once("dragstart", () => resized.disconnect());
  };

  /** @type {(map: L.Map, bounds: L.LatLngBoundsExpression) => void} */
  const furnish = (map, bounds) => {
    chart = map;
    home = bounds;
    district = Filter.now().district;
    map.fitBounds(bounds, { ...around(LABEL), animate: false });
    map.setMinZoom(map.getZoom() - 1);
    settle(map);
    map.setMaxZoom(18);
    L.control.scale({ imperial: Words.us, metric: !Words.us, maxWidth: 140 }).addTo(map);
    page("panel-close").addEventListener("click", () => { const last = chosen; choose(null); if (row(last)) row(last).querySelector("a").focus(); });
    for (const line of document.querySelectorAll("#zone-table tbody tr[data-zone]")) {
      line.addEventListener("mouseenter", () => mark(line.dataset.zone, true));
      line.addEventListener("mouseleave", () => mark(line.dataset.zone, false));
      line.querySelector("a").addEventListener("click", (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
        event.preventDefault();
        choose(line.dataset.zone, { focus: true });
      });
    }
    const sparse = () => frame.classList.toggle("far", map.getZoom() < 12.5); // no room for small names
    map.on("zoomend", sparse);
    sparse();
    Labels.watch(map, () => [...zones.values()].filter(({ group }) => map.hasLayer(group)).flatMap(({ line }) => rings(line)));
    map.on("moveend", () => { if (zones.size) remember(false); });
    document.addEventListener("saferground:filter", ({ detail }) => {
      refresh();
      if (detail.district !== district && !detail.restored) goTo(detail.district);
      district = detail.district;
    });
    addEventListener("popstate", restore);
    document.dispatchEvent(new CustomEvent("saferground:map", { detail: { map } }));
  };

  return { base, tiles, surface, districts, neighbourhoods, zones: drawZones, areas, furnish, pane, part, notes, refresh, around, choose, goTo, within, clip };
})();

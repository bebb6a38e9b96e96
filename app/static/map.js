// The page's own part of the map. Folium's script calls SaferGround.*; data come by address and
// every text is set as text.
"use strict";

const SaferGround = (() => {
  const colours = {
    ground: "#fbfaf7", limit: "#5b6475", water: "#bdd3e2", park: "#dfe7d6", rail: "#8b8579",
    street: { 1: "#a8a297", 2: "#c6c1b7", 3: "#dedad2" }, district: "#3d4a63",
    zone: "#b8431b", chosen: "#16233b", casing: "#ffffff",
  };
  const page = (name) => document.getElementById(name);
  const frame = page("map-frame");
  const parts = { zones: null, districts: null, surface: null };
  const zones = new Map(); // id -> { feature, line, casing, label }
  let chart = null;
  let chosen = null;
  let restoring = false;
  let tell = () => ""; // what stands under a district's name

  const load = async (file) => {
    const answer = await fetch(frame.dataset.files + file);
    if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
    return answer.json();
  };
  const told = (error) => {
    page("map-status").textContent = Words.say("unloaded");
    console.error(error);
  };
  const pane = (map, name, order) => {
    const made = map.getPane(name) || map.createPane(name);
    made.style.zIndex = order;
    return name;
  };

  // Room around what is to be seen: the legend may lie over the right of the map.
  const around = (margin) => {
    const key = document.querySelector(".map-legend");
    const over = key && key.open && getComputedStyle(key).position === "absolute" ? key.offsetWidth + 12 : 0;
    return { paddingTopLeft: [margin, margin], paddingBottomRight: [margin + over, margin] };
  };

  // What lies under everything: drawn on one canvas below the surface, and streets on one above it.
  const base = (map, file) => {
    const low = L.canvas({ pane: pane(map, "ground", 210), padding: 0.3 });
    const high = L.canvas({ pane: pane(map, "ways", 310), padding: 0.3 });
    const looks = (feature) => {
      const { kind, rank } = feature.properties;
      if (kind === "limit") return { renderer: low, color: colours.limit, weight: 1.5, fillColor: colours.ground, fillOpacity: 1 };
      if (kind === "water" || kind === "park") return { renderer: low, stroke: false, fillColor: colours[kind], fillOpacity: 1 };
      if (kind === "rail") return { renderer: high, color: colours.rail, weight: 1.6, dashArray: "7 4", fill: false };
      return { renderer: high, color: colours.street[rank], weight: { 1: 2.4, 2: 1.3, 3: 0.8 }[rank], fill: false };
    };
    load(file).then((data) => {
      const order = { limit: 0, park: 1, water: 2, street: 3, rail: 4 };
      data.features.sort((a, b) => order[a.properties.kind] - order[b.properties.kind] || b.properties.rank - a.properties.rank);
      L.geoJSON(data, { style: looks, interactive: false }).addTo(map);
    }).catch(told);
  };

  const surface = (map, file, bounds) => {
    parts.surface = L.imageOverlay(frame.dataset.files + file, bounds, {
      pane: pane(map, "risk", 260), alt: Words.say("surface"), opacity: 0.9,
    }).addTo(map);
  };

  const districts = (map, file) => {
    parts.districts = L.layerGroup().addTo(map);
    const options = { pane: pane(map, "borders", 340), interactive: false };
    load(file).then((data) => {
      L.geoJSON(data, { ...options, style: { color: colours.district, weight: 1.8, fill: false } }).addTo(parts.districts);
      if (data.features.length < 2) return;
      for (const feature of data.features) {
        const name = document.createElement("span");
        name.className = "district-name";
        name.textContent = feature.properties.name;
        const note = document.createElement("small");
        note.dataset.code = feature.properties.code;
        name.append(note);
        L.marker(feature.properties.at, { pane: pane(map, "names", 620), interactive: false, keyboard: false, icon: L.divIcon({ html: name, className: "", iconSize: [0, 0] }) }).addTo(parts.districts);
      }
      notes(tell);
    }).catch(told);
  };

  const drawZones = (map, file) => {
    parts.zones = L.layerGroup().addTo(map);
    const lines = L.svg({ pane: pane(map, "zones", 420), padding: 0.5 });
    load(file).then((data) => {
      for (const feature of data.features) drawZone(map, feature, lines);
      filterDistrict();
      restore();
    }).catch(told);
  };

  const drawZone = (map, feature, lines) => {
    const told = feature.properties;
    const casing = L.geoJSON(feature, { renderer: lines, interactive: false, style: { color: colours.casing, weight: 6, opacity: 0.9, fill: false } });
    const line = L.geoJSON(feature, { renderer: lines, style: { color: colours.zone, weight: 3, fillColor: colours.zone, fillOpacity: 0.04 } });
    const number = document.createElement("span");
    number.textContent = told.rank;
    const label = L.marker(line.getBounds().getCenter(), {
      interactive: false, keyboard: false, icon: L.divIcon({ html: number, className: "zone-number", iconSize: [22, 22] }),
    });
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

  // A zone's outline can be reached and pressed by keyboard, and says its name.
  const reachable = (line, told) => line.eachLayer((shape) => {
    const path = shape.getElement();
    if (!path || path.dataset.zone) return;
    path.dataset.zone = told.id;
    path.setAttribute("tabindex", "0");
    path.setAttribute("role", "button");
    path.setAttribute("aria-label", `${told.title}: ${told.reasons[0] || Words.say("no_reason")}`);
    path.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(told.id, { focus: true });
    });
    path.addEventListener("focus", () => mark(told.id, true));
    path.addEventListener("blur", () => mark(told.id, false));
  });

  const row = (id) => document.querySelector(`#zone-table tr[data-zone="${CSS.escape(id)}"]`);
  const mark = (id, on) => {
    const zone = zones.get(id);
    if (zone) zone.line.setStyle({ weight: on || id === chosen ? 5 : 3 });
    if (row(id)) row(id).classList.toggle("over", on);
  };

  const choose = (id, { focus = false, move = true, quiet = false } = {}) => {
    const before = chosen;
    chosen = zones.has(id) ? id : null;
    for (const one of [before, chosen]) {
      if (!one || !zones.has(one)) continue;
      const { line, label } = zones.get(one);
      const on = one === chosen;
      line.setStyle({ color: on ? colours.chosen : colours.zone, weight: on ? 5 : 3 });
      if (label.getElement()) label.getElement().classList.toggle("chosen", on);
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

  const fill = (told) => {
    page("panel-title").textContent = told.title;
    page("panel-reasons").replaceChildren(...told.reasons.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
    page("panel-figures").textContent = Words.say("figures", told);
    const anchor = row(told.id) && row(told.id).querySelector("a");
    page("panel-link").href = anchor ? anchor.href : `/zones/${encodeURIComponent(told.id)}`;
  };

  // The address holds what is seen: district, zone, layers, view.
  const state = () => new URLSearchParams(location.search);
  const remember = (step) => {
    if (restoring) return;
    const now = state();
    const put = (key, value) => (value ? now.set(key, value) : now.delete(key));
    put("zone", chosen);
    const boxes = [...document.querySelectorAll("#layers input")].filter((box) => box.checked !== box.defaultChecked);
    put("hide", boxes.filter((box) => !box.checked).map((box) => box.value).join(","));
    put("show", boxes.filter((box) => box.checked).map((box) => box.value).join(","));
    const centre = chart.getCenter();
    put("view", `${centre.lat.toFixed(5)},${centre.lng.toFixed(5)},${chart.getZoom().toFixed(2)}`);
    const address = `${location.pathname}?${now}`;
    if (step) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  };
  const restore = () => {
    const now = state();
    restoring = true; // moving the view must not rewrite the address that is being read
    const view = (now.get("view") || "").split(",").map(Number);
    const placed = view.length === 3 && view.every(Number.isFinite);
    if (placed) chart.setView([view[0], view[1]], view[2], { animate: false });
    refresh();
    choose(now.get("zone"), { move: !placed, quiet: true });
    restoring = false;
  };
  const refresh = () => {
    const now = state();
    const [hidden, shown] = ["hide", "show"].map((key) => (now.get(key) || "").split(","));
    for (const box of document.querySelectorAll("#layers input")) {
      box.checked = box.defaultChecked ? !hidden.includes(box.value) : shown.includes(box.value);
      show(box);
    }
  };
  const show = (box) => {
    const part = parts[box.value];
    if (!part) return;
    if (box.checked && !chart.hasLayer(part)) part.addTo(chart);
    if (!box.checked && chart.hasLayer(part)) part.remove();
    if (box.value === "zones" && box.checked) for (const { line, feature } of zones.values()) reachable(line, feature.properties);
  };
  const filterDistrict = () => {
    const district = frame.dataset.district;
    if (!district) return;
    const bounds = L.latLngBounds([]);
    for (const { feature, group, line } of zones.values()) {
      if (feature.properties.district === district) bounds.extend(line.getBounds());
      else group.remove();
    }
    if (bounds.isValid()) chart.fitBounds(bounds, { ...around(60), maxZoom: 14, animate: false });
  };

  const part = (name, layer) => { parts[name] = layer; };
  const notes = (words) => {
    tell = words;
    for (const note of document.querySelectorAll(".district-name small")) note.textContent = tell(note.dataset.code);
  };

  const furnish = (map, bounds) => {
    chart = map;
    map.fitBounds(bounds, { ...around(8), animate: false });
    map.setMinZoom(map.getZoom() - 1);
    map.setMaxZoom(18);
    L.control.scale({ imperial: true, metric: true, maxWidth: 140 }).addTo(map);
    page("layers").hidden = false;
    page("layers").addEventListener("change", (event) => { show(event.target); remember(false); });
    page("panel-close").addEventListener("click", () => { const last = chosen; choose(null); if (row(last)) row(last).querySelector("a").focus(); });
    page("district").addEventListener("change", (event) => event.target.form.requestSubmit());
    for (const line of document.querySelectorAll("#zone-table tbody tr[data-zone]")) {
      line.addEventListener("mouseenter", () => mark(line.dataset.zone, true));
      line.addEventListener("mouseleave", () => mark(line.dataset.zone, false));
      line.querySelector("a").addEventListener("click", (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
        event.preventDefault();
        choose(line.dataset.zone, { focus: true });
      });
    }
    map.on("moveend", () => { if (zones.size) remember(false); });
    addEventListener("popstate", restore);
    document.dispatchEvent(new CustomEvent("saferground:map", { detail: { map } }));
  };

  return { base, surface, districts, zones: drawZones, furnish, pane, part, notes, refresh };
})();

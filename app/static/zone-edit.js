// @ts-check
// Zones changed on a map: press zones to choose them, draw a line or an outline. What is drawn goes
// as GeoJSON into the field of the form, where it can also be typed; nothing else is sent.
"use strict";

document.addEventListener("staffmap:drawn", ({ target: frame, detail: { map, layers } }) => {
  const target = /** @type {HTMLElement} */ (frame);
  const form = document.querySelector(".edit-form");
  const tools = document.querySelector(".draw-tools");
  if (!form || !tools || tools.dataset.ready) return;
  tools.dataset.ready = "yes";
  /** @type {(name: string) => Part} */
  const tool = (name) => document.querySelector(`[data-draw=${name}]`);
  const shape = form.elements.shape;
  const boxes = [...form.querySelectorAll("input[name=zones]")];
  const zones = new Map(); // id -> the shape on the map
  const said = tool("said");
  const mark = L.layerGroup().addTo(map);
  let kind = ""; // "LineString", "Polygon", or nothing is being drawn
  /** @type {L.LatLng[]} */
  let corners = [];

  // What each step needs is shown with it.
  const steps = [...form.querySelectorAll("input[name=action]")];
  const suit = () => {
    const chosen = steps.find((one) => one.checked);
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = !chosen || !part.dataset.for.split(" ").includes(chosen.value);
    form.querySelector(".from-zone").hidden = !chosen || chosen.value !== "redraw";
  };
  for (const one of steps) one.addEventListener("change", suit);
  suit();

  // Zones are chosen on the map and in the table alike.
  const tint = () => {
    for (const box of boxes) {
      const one = zones.get(box.value);
      if (one) one.setStyle({ fillOpacity: box.checked ? 0.45 : 0.03, weight: box.checked ? 4 : 2.5 });
    }
  };
  for (const { told, drawn } of layers) {
    if (told.name !== "zones") continue;
    drawn.eachLayer((/** @type {any} */ part) => part.eachLayer && part.eachLayer((/** @type {any} */ one) => {
      const id = one.feature && one.feature.properties.id;
      if (!id || !one.options.interactive) return;
      zones.set(id, one);
      one.on("click", () => {
        if (kind) return;
        const box = boxes.find(({ value }) => value === id);
        box.checked = !box.checked;
        tint();
      });
    }));
  }
  for (const box of boxes) box.addEventListener("change", tint);
  tint();

  // Drawing: each press sets a corner.
  const show = () => {
    mark.clearLayers();
    const style = { color: "#16233b", weight: 3, dashArray: "6 5", interactive: false };
    if (kind === "Polygon" && corners.length > 2) L.polygon(corners, { ...style, fillOpacity: 0.12 }).addTo(mark);
    else if (corners.length > 1) L.polyline(corners, style).addTo(mark);
    for (const corner of corners) L.circleMarker(corner, { radius: 5, color: "#ffffff", weight: 2, fillColor: "#16233b", fillOpacity: 1, interactive: false }).addTo(mark);
    tool("undo").disabled = !corners.length;
    tool("finish").disabled = corners.length < (kind === "Polygon" ? 3 : 2);
  };
  /** @type {(wanted: string) => void} */
  const begin = (wanted) => {
    kind = wanted;
    corners = [];
    target.classList.add("drawing");
    map.doubleClickZoom.disable();
    const step = steps.find(({ value }) => value === (wanted === "Polygon" ? "redraw" : "split"));
    step.checked = true;
    suit();
    said.textContent = wanted === "Polygon" ? "Press the corners of the outline on the map, then Finish." : "Press the ends of the line on the map, outside of the zone on both sides, then Finish.";
    show();
  };
  const finish = () => {
    const points = corners.map(({ lat, lng }) => [Number(lng.toFixed(6)), Number(lat.toFixed(6))]);
    if (kind === "Polygon") points.push(points[0]);
    shape.value = JSON.stringify({ type: kind, coordinates: kind === "Polygon" ? [points] : points });
    kind = "";
    target.classList.remove("drawing");
    map.doubleClickZoom.enable();
    tool("undo").disabled = tool("finish").disabled = true;
    said.textContent = "Taken into the form below. Choose the zone, say why, and take the step.";
  };
  map.on("click", ({ latlng }) => {
    if (!kind) return;
    corners.push(latlng);
    show();
  });
  tool("LineString").addEventListener("click", () => begin("LineString"));
  tool("Polygon").addEventListener("click", () => begin("Polygon"));
  tool("undo").addEventListener("click", () => { corners.pop(); show(); });
  tool("finish").addEventListener("click", finish);
  tool("present").addEventListener("click", () => {
    const chosen = boxes.filter(({ checked }) => checked);
    const one = chosen.length === 1 && zones.get(chosen[0].value);
    if (one) shape.value = JSON.stringify(one.feature.geometry);
    said.textContent = one ? "The present outline is in the field." : "Choose one zone first.";
  });
  tools.hidden = false;
});

// @ts-check
// My area: a circle or corners drawn on the map, for the report. Everything can be typed instead.
"use strict";

const Area = (() => {
  /** @type {(name: string) => Part} */
  const page = (name) => document.getElementById(name);
  /** @type {L.Map} */
  let map = null;
  let mode = ""; // "circle", "polygon", or nothing is being drawn
  /** @type {Place[]} */
  let corners = [];
  /** @type {Place | null} */
  let centre = null;
  /** @type {L.Circle | L.Polygon | L.CircleMarker | null} */
  let drawn = null;

  const unit = Words.us ? 0.3048 : 1; // meters of what the field is in
  const radius = () => Math.round(Math.min(3000, Math.max(100, Number(page("radius_m").value) * unit || 500)));
  /** @type {(at: Place) => string} */
  const text = ([lat, lon]) => `${lat.toFixed(5)},${lon.toFixed(5)}`;
  const style = () => ({ pane: SaferGround.pane(map, "area", 410), interactive: false, color: "#16233b", weight: 2.5, dashArray: "8 5", fillOpacity: 0.06 });

  const draw = () => {
    if (drawn) drawn.remove();
    drawn = null;
    if (centre) drawn = L.circle(centre, { ...style(), radius: radius() });
    else if (corners.length > 1) drawn = L.polygon(corners, style());
    else if (corners.length) drawn = L.circleMarker(corners[0], { ...style(), radius: 4, dashArray: null });
    if (drawn) drawn.addTo(map);
    page("polygon").value = corners.length > 2 ? corners.map(text).join(";") : "";
    if (centre) page("centre").value = text(centre);
    const ready = centre || corners.length > 2;
    const told = page("area-told");
    told.textContent = ready ? told.dataset.ready : mode ? told.dataset[mode] : "";
    page("area-clear").hidden = !(centre || corners.length);
  };
  /** @type {(step: boolean) => void} */
  const remember = (step) => Address.put({
    circle: centre ? `${text(centre)},${radius()}` : "",
    polygon: page("polygon").value,
  }, step);

  /** @type {(which: string) => void} */
  const use = (which) => {
    mode = mode === which ? "" : which;
    if (mode === "circle") corners = [];
    if (mode === "polygon") centre = null;
    for (const name of ["circle", "polygon"]) page(`draw-${name}`).setAttribute("aria-pressed", String(mode === name));
    page("map-frame").classList.toggle("drawing", Boolean(mode));
    draw();
    if (mode && matchMedia("(max-width: 60rem)").matches) page("map-frame").scrollIntoView({ block: "center" });
  };
  /** @type {(event: L.LeafletMouseEvent) => void} */
  const click = ({ latlng }) => {
    /** @type {Place} */
    const at = [latlng.lat, latlng.lng];
    if (mode === "circle") centre = at;
    if (mode === "polygon" && corners.length < 60) corners.push(at);
    if (!mode) return;
    draw();
    remember(true);
  };
  const clear = () => {
    [centre, corners] = [null, []];
    draw();
    remember(true);
  };
  const restore = () => {
    const said = Address.read();
    const [lat, lon, metres, ...more] = (said.get("circle") || "").split(",").map(Number);
    const whole = [lat, lon, metres].every(Number.isFinite) && !more.length;
    centre = whole ? [lat, lon] : null;
    if (whole) for (const name of ["radius_m", "radius-slider"]) page(name).value = Math.round(metres / unit);
    const parts = (said.get("polygon") || "").split(";").filter(Boolean).map((part) => part.split(",").map(Number));
    const fit = !centre && parts.every((part) => part.length === 2 && part.every(Number.isFinite));
    corners = fit ? /** @type {Place[]} */ (parts) : [];
    draw();
  };

  document.addEventListener("saferground:map", ({ detail }) => {
    map = detail.map;
    for (const name of ["area-tools", "radius-slider"]) page(name).hidden = false;
    page("draw-circle").addEventListener("click", () => use("circle"));
    page("draw-polygon").addEventListener("click", () => use("polygon"));
    page("area-clear").addEventListener("click", clear);
    map.on("click", click);
    page("map-frame").addEventListener("keydown", (event) => {
      if (event.key !== "Backspace" || mode !== "polygon" || !corners.length) return;
      corners.pop();
      draw();
      remember(true);
    });
    const [typed, slider] = [page("radius_m"), page("radius-slider")];
    slider.addEventListener("input", () => { typed.value = slider.value; draw(); });
    typed.addEventListener("input", () => { slider.value = typed.value; draw(); });
    for (const one of [typed, slider]) one.addEventListener("change", () => remember(true));
    page("centre").addEventListener("input", () => { [centre, corners] = [null, []]; draw(); });
    page("area-form").addEventListener("submit", () => {
      const now = Filter.now();
      for (const [name, value] of [["from", now.from], ["to", now.to], ["class", now.kind]]) {
        page("area-form").elements[name].value = value;
      }
      for (const field of page("area-form").elements) if (field.type === "hidden" && !field.value) field.disabled = true;
      if (page("polygon").value) for (const name of ["centre", "radius_m"]) page(name).disabled = true;
    });
    addEventListener("pageshow", () => { for (const field of page("area-form").elements) field.disabled = false; });
    addEventListener("popstate", restore);
    restore();
    if (drawn && "getBounds" in drawn && !Address.read().get("view")) map.fitBounds(drawn.getBounds(), { ...SaferGround.around(30), animate: false });
  });
  return { drawing: () => mode !== "" };
})();

// My area: a circle or corners drawn on the map, for the report. Everything can be typed instead.
"use strict";

const Area = (() => {
  const page = (name) => document.getElementById(name);
  let map = null, mode = "", corners = [], centre = null, drawn = null;

  const radius = () => Math.min(3000, Math.max(100, Number(page("radius_m").value) || 500));
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
  const remember = (step) => Address.put({
    circle: centre ? `${text(centre)},${radius()}` : "",
    polygon: page("polygon").value,
  }, step);

  const use = (which) => {
    mode = mode === which ? "" : which;
    if (mode === "circle") corners = [];
    if (mode === "polygon") centre = null;
    for (const name of ["circle", "polygon"]) page(`draw-${name}`).setAttribute("aria-pressed", String(mode === name));
    page("map-frame").classList.toggle("drawing", Boolean(mode));
    draw();
    if (mode && matchMedia("(max-width: 60rem)").matches) page("map-frame").scrollIntoView({ block: "center" });
  };
  const click = ({ latlng }) => {
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
    const circle = (said.get("circle") || "").split(",").map(Number);
    const parts = (said.get("polygon") || "").split(";").filter(Boolean).map((part) => part.split(",").map(Number));
    centre = circle.length === 3 && circle.every(Number.isFinite) ? circle.slice(0, 2) : null;
    if (centre) for (const name of ["radius_m", "radius-slider"]) page(name).value = circle[2];
    corners = !centre && parts.every((part) => part.length === 2 && part.every(Number.isFinite)) ? parts : [];
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
    if (drawn && !Address.read().get("view")) map.fitBounds(drawn.getBounds(), { ...SaferGround.around(30), animate: false });
  });
  return { drawing: () => mode !== "" };
})();

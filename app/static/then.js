// @ts-check
// Zones of an earlier release on the map: beside those of now, or one of the two by itself.
"use strict";

document.addEventListener("saferground:map", ({ detail: { map } }) => {
  const chooser = document.getElementById("then-shown");
  if (!chooser) return;
  const names = ["zones", "numbers"]; // panes of now
  const pane = SaferGround.pane(map, "then", 415);
  fetch(chooser.dataset.zones).then((answer) => {
    if (!answer.ok) throw new Error(`${chooser.dataset.zones}: ${answer.status}`);
    return answer.json();
  }).then((data) => L.geoJSON(data, {
    interactive: false, style: { pane, color: "#4a2a86", weight: 2.5, dashArray: "6 4", fillColor: "#4a2a86", fillOpacity: 0.08 },
  }).addTo(map)).catch((error) => {
    document.getElementById("map-status").textContent = Words.say("unloaded");
    console.error(error);
  });
  chooser.hidden = false;
  chooser.addEventListener("change", ({ target }) => {
    const { value } = /** @type {HTMLInputElement} */ (target);
    map.getPane(pane).style.display = value === "now" ? "none" : "";
    for (const name of names) map.getPane(name).style.display = value === "then" ? "none" : "";
    Labels.again();
  });
});

// @ts-check
// "Near me": the zone that one is in, or the nearest. The position stays in this browser: the map moves
// to the zone, as the address keeps what the map shows.
"use strict";

document.addEventListener("saferground:map", ({ detail: { map } }) => {
  /** @type {(name: string) => Part} */
  const page = (name) => document.getElementById(name);
  const FAR_M = 20000; // who is farther from every zone is not in this city
  const mark = L.circle([0, 0], { pane: SaferGround.pane(map, "marks", 640), interactive: false, color: "#16233b", weight: 2, fillOpacity: 0.1 });
  /** @type {(words: string) => void} */
  const write = (words) => {
    page("near-told").textContent = words;
    page("near-told").hidden = !words;
  };
  /** @type {(position: GeolocationPosition) => void} */
  const show = ({ coords: { latitude, longitude, accuracy } }) => {
    const areas = SaferGround.areas();
    const found = Nearby.find(areas, [longitude, latitude]);
    if (!found || found.metres > FAR_M) { mark.remove(); write(Words.say("near_far")); return; }
    const { id, title } = areas[found.number];
    mark.setLatLng([latitude, longitude]).setRadius(accuracy).addTo(map);
    const away = found.metres ? Words.say(`near_${found.way}`, { length: Words.length(found.metres), zone: title }) : Words.say("near_in", { zone: title });
    write(`${away} ${Words.say("near_kept")}`);
    SaferGround.choose(id);
  };
  const button = page("near-me");
  if (!button) return; // without names to search there is no form
  button.hidden = !("geolocation" in navigator);
  button.addEventListener("click", () => {
    write(Words.say("near_looking"));
    navigator.geolocation.getCurrentPosition(show, () => { mark.remove(); write(Words.say("near_failed")); }, { enableHighAccuracy: true, timeout: 20000 });
  });
});

// @ts-check
// Numbers as discs whose areas are the numbers: sites that are near one another on the screen are
// counted together by hexagon; from NEAR on each site stands by itself. What area a number stands
// for is drawn when somebody points at it, cut to its district, in which all of it lies.
"use strict";

const Symbols = (() => {
  const NEAR = 15; // zoom from which approximate places are told apart
  const ACROSS = 46; // pixels of a hexagon from side to side
  const MOST = 22, MOST_NEAR = 15; // pixels of the largest disc's radius
  const ROOM = 9; // pixels of a disc's radius from which its number stands in it

  /**
   * A place that numbers are given for; `reach` is in meters, 0 where it is the whole district.
   * @typedef {{ lat: number, lon: number, reach: number, district: string, number: number }} Spot
   * @typedef {{ at: { x: number, y: number }, number: number, spots: Spot[] }} Cluster
   */
  /**
   * Spots that have a number, by hexagon of a width; those of a whole district are one cluster.
   * Each cluster stands at the middle of what it counts.
   * @type {(spots: Spot[], pixel: (spot: Spot) => { x: number, y: number }, across: number) => Cluster[]}
   */
  const bin = (spots, pixel, across) => {
    /** @type {Map<string, Cluster>} */
    const found = new Map();
    const tall = across * Math.sqrt(0.75);
    for (const spot of spots) {
      if (!spot.number) continue;
      const { x, y } = pixel(spot);
      let key = spot.reach ? `${x.toFixed(1)} ${y.toFixed(1)}` : `all of ${spot.district}`;
      if (spot.reach && across) {
        // The nearest middle of two lattices of rectangles, which together are one of hexagons.
        const even = [Math.round(x / across) * across, Math.round(y / (2 * tall)) * 2 * tall];
        const odd = [(Math.floor(x / across) + 0.5) * across, (Math.floor(y / (2 * tall)) + 0.5) * 2 * tall];
        const [cx, cy] = Math.hypot(x - even[0], y - even[1]) <= Math.hypot(x - odd[0], y - odd[1]) ? even : odd;
        key = `${cx.toFixed(1)} ${cy.toFixed(1)}`;
      }
      const one = found.get(key) || { at: { x: 0, y: 0 }, number: 0, spots: [] };
      const number = one.number + spot.number;
      one.at = { x: one.at.x + ((x - one.at.x) * spot.number) / number, y: one.at.y + ((y - one.at.y) * spot.number) / number };
      one.number = number;
      one.spots.push(spot);
      found.set(key, one);
    }
    return [...found.values()].sort((a, b) => b.number - a.number);
  };
  /**
   * The next of 1, 2, 5, 10, 20 ... that a number is not above.
   * @type {(number: number) => number}
   */
  const round = (number) => {
    const ten = 10 ** Math.floor(Math.log10(Math.max(1, number)));
    return [1, 2, 5, 10].map((one) => one * ten).find((one) => one >= number) || ten;
  };
  /**
   * A disc's radius in pixels: its area is the number; `most` is the largest that is to be drawn.
   * @type {(number: number, most: number, widest: number) => number}
   */
  const radius = (number, most, widest) => widest * Math.sqrt(number / round(most));

  // A disc with its number in it, drawn on the canvas with the rest.
  /** @type {any} */
  const Disc = typeof L === "undefined" ? null : L.CircleMarker.extend({
    _updatePath() {
      this._renderer._updateCircle(this);
      const { text, whole } = this.options;
      if (!text || this._empty()) return;
      const pen = this._renderer._ctx;
      pen.globalAlpha = 1;
      pen.font = `700 ${whole ? 12 : Math.min(13, 9 + this._radius / 6)}px "Public Sans", sans-serif`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillStyle = "#ffffff";
      pen.fillText(text, this._point.x, this._point.y + 0.5);
    },
  });

  /**
   * One layer of discs on a map.
   * @type {(map: L.Map, colour: string, say: (cluster: Cluster) => string) => { group: L.LayerGroup, draw: (spots: Spot[]) => void, show: (spot: Spot | null) => void, sizes: () => [number, number][], boxes: () => [number, number, number, number][] }}
   */
  const layer = (map, colour, say) => {
    const group = L.layerGroup();
    const areas = L.layerGroup().addTo(map);
    const canvas = L.canvas({ pane: SaferGround.pane(map, "areas", 400), padding: 0.4 });
    const lines = SaferGround.within(map);
    /** @type {Cluster[]} */
    let clusters = [];
    let most = 1, widest = MOST;

    /** @type {(spots: Spot[]) => void} */
    const reach = (spots) => {
      areas.clearLayers();
      for (const { lat, lon, reach: metres, district } of spots) {
        if (!metres) continue;
        const edge = L.circle([lat, lon], { renderer: lines, interactive: false, radius: metres, color: colour, weight: 1.5, dashArray: "5 4", fillColor: colour, fillOpacity: 0.1 }).addTo(areas);
        SaferGround.clip(edge, district);
      }
    };
    /** @type {(spots: Spot[]) => void} */
    const draw = (spots) => {
      const near = map.getZoom() >= NEAR;
      clusters = bin(spots, (spot) => map.project([spot.lat, spot.lon]), near ? 0 : ACROSS);
      most = clusters.length ? clusters[0].number : 1;
      widest = near ? MOST_NEAR : MOST;
      group.clearLayers();
      areas.clearLayers();
      for (const cluster of clusters) {
        const size = radius(cluster.number, most, widest);
        const whole = !cluster.spots[0].reach;
        const disc = new Disc(map.unproject(L.point(cluster.at)), {
          renderer: canvas, radius: Math.max(size, 1.5), color: whole ? colour : "#ffffff", weight: whole ? 2 : 1, dashArray: whole ? "4 3" : null,
          fillColor: colour, fillOpacity: 0.68, whole, text: size >= ROOM ? Words.number(cluster.number) : "",
        });
        const note = document.createElement("span");
        note.textContent = say(cluster);
        disc.bindTooltip(note, { sticky: true });
        disc.on("mouseover click", () => reach(cluster.spots));
        disc.on("mouseout", () => areas.clearLayers());
        group.addLayer(disc);
      }
    };
    /** @type {() => [number, number][]} */
    const sizes = () => [...new Set([1, round(Math.max(1, most / 8)), round(most)])].map((number) => [number, radius(number, most, widest)]);
    /** @type {() => [number, number, number, number][]} */
    const boxes = () => clusters.filter(({ number }) => map.hasLayer(group) && radius(number, most, widest) >= ROOM).map((cluster) => {
      const { x, y } = map.latLngToLayerPoint(map.unproject(L.point(cluster.at)));
      return [x - 9, y - 6, x + 9, y + 6];
    });
    return { group, draw, show: (spot) => reach(spot ? [spot] : []), sizes, boxes };
  };
  return { bin, round, radius, layer };
})();

// @ts-check
// Names and numbers on the map that never lie over one another: at every zoom each takes the first of
// its places that is free, the more important first, and is hidden where there is none.
"use strict";

const Labels = (() => {
  const GAP = 2; // pixels between two labels
  const STEP = 6; // pixels between two points of an outline

  /**
   * `spots` are possible middles, the best first; `strict` is one that may never lie on an outline,
   * `loose` one that may lie on numbers of other things.
   * @typedef {{ width: number, height: number, spots: [number, number][], strict?: boolean, loose?: boolean }} Item
   * @typedef {[number, number, number, number]} Box left, top, right, bottom
   */
  /** @type {(item: Item, spot: [number, number]) => Box} */
  const boxAt = ({ width, height }, [x, y]) => [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
  /** @type {(a: Box, b: Box) => boolean} */
  const meet = (a, b) => a[0] < b[2] + GAP && b[0] < a[2] + GAP && a[1] < b[3] + GAP && b[1] < a[3] + GAP;
  /**
   * Where each label stands, in the order of importance; nothing where none of its places is free.
   * @type {(items: Item[], outlines?: [number, number][], numbers?: Box[]) => ([number, number] | null)[]}
   */
  const place = (items, outlines = [], numbers = []) => {
    /** @type {Box[]} */
    const taken = [];
    return items.map((item) => {
      const free = item.spots.filter((spot) => !taken.some((box) => meet(boxAt(item, spot), box)));
      /** @type {(spot: [number, number]) => boolean} */
      const off = (spot) => {
        const [left, top, right, bottom] = boxAt(item, spot);
        return !outlines.some(([x, y]) => x > left - GAP && x < right + GAP && y > top - GAP && y < bottom + GAP);
      };
      /** @type {(spot: [number, number]) => boolean} */
      const clear = (spot) => !numbers.some((box) => meet(boxAt(item, spot), box));
      const found = (item.loose && (free.find(off) || free[0])) || free.find((spot) => clear(spot) && off(spot)) || free.find(off)
        || (item.strict ? null : free.find(clear) || free[0]) || null;
      if (found) taken.push(boxAt(item, found));
      return found;
    });
  };
  /**
   * Middles of a label around a box, after the box's own middle.
   * @type {(box: Box, width: number, height: number) => [number, number][]}
   */
  const around = ([left, top, right, bottom], width, height) => {
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const [west, east, north, south] = [left - width / 2 - 5, right + width / 2 + 5, top - height / 2 - 5, bottom + height / 2 + 5];
    return [[x, y], [east, y], [west, y], [x, north], [x, south], [east, north], [west, north], [east, south], [west, south]];
  };

  /**
   * Middles of a name that stays where it belongs.
   * @type {(x: number, y: number, width: number, height: number) => [number, number][]}
   */
  const close = (x, y, width, height) => [[x, y], [x, y - 0.7 * height], [x, y + 0.7 * height], [x - 0.4 * width, y], [x + 0.4 * width, y]];

  /** @typedef {{ order: number, marker: L.Marker, bounds?: L.LatLngBounds, strict?: boolean, loose?: boolean }} Entry */
  /** @type {Entry[]} */
  const entries = [];
  /** @type {() => L.LatLng[][]} */
  let lines = () => [];
  /** @type {Box[]} */
  let numbers = [];
  /** @type {L.Map | null} */
  let map = null;
  let waiting = false;

  /** @type {(entry: Entry) => HTMLElement | null} */
  const inner = ({ marker }) => {
    const icon = marker.getElement();
    return map && map.hasLayer(marker) && icon ? /** @type {HTMLElement} */ (icon.firstElementChild) : null;
  };
  /** @type {(latlng: L.LatLngExpression) => [number, number]} */
  const pixel = (latlng) => { const { x, y } = map.latLngToLayerPoint(latlng); return [x, y]; };
  /** @type {(line: L.LatLng[]) => [number, number][]} */
  const dots = (line) => line.flatMap((corner, i) => {
    const [[x, y], [to, down]] = [pixel(corner), pixel(line[(i + 1) % line.length])];
    const steps = Math.max(1, Math.ceil(Math.hypot(to - x, down - y) / STEP));
    return Array.from({ length: steps }, (_, n) => /** @type {[number, number]} */ ([x + ((to - x) * n) / steps, y + ((down - y) * n) / steps]));
  });
  const layout = () => {
    waiting = false;
    const there = entries.map((entry) => ({ entry, label: inner(entry) }))
      .filter(({ label }) => label && label.offsetWidth)
      .sort((a, b) => a.entry.order - b.entry.order);
    const items = there.map(({ entry, label }) => {
      const [width, height] = [label.offsetWidth, label.offsetHeight];
      const [x, y] = pixel(entry.marker.getLatLng());
      const { bounds, strict, loose } = entry;
      const spots = bounds ? around([...pixel(bounds.getNorthWest()), ...pixel(bounds.getSouthEast())], width, height) : close(x, y, width, height);
      return { width, height, strict, loose, spots };
    });
    const found = place(items, lines().flatMap(dots), numbers);
    there.forEach(({ entry, label }, i) => {
      const [x, y] = pixel(entry.marker.getLatLng());
      const spot = found[i];
      label.style.visibility = spot ? "" : "hidden";
      if (spot) label.style.translate = `${Math.round(spot[0] - x)}px ${Math.round(spot[1] - y)}px`;
    });
  };
  const again = () => {
    if (!map || waiting) return;
    waiting = true;
    requestAnimationFrame(layout);
  };
  /**
   * A label of its own: the lower its `order`, the more important; `bounds` is what it stands beside.
   * @type {(text: HTMLElement, at: L.LatLngExpression, pane: string, order: number, more?: { bounds?: L.LatLngBounds, strict?: boolean, loose?: boolean }) => L.Marker}
   */
  const make = (text, at, pane, order, more = {}) => {
    text.classList.add("map-label");
    const icon = L.divIcon({ html: text, className: "", iconSize: [0, 0] });
    const marker = L.marker(at, { pane, interactive: false, keyboard: false, icon });
    entries.push({ order, marker, ...more });
    marker.on("add remove", again);
    return marker;
  };
  /** @type {(on: L.Map, outlines: () => L.LatLng[][]) => void} */
  const watch = (on, outlines) => {
    [map, lines] = [on, outlines];
    map.on("zoomend", again);
    document.fonts.ready.then(again);
    again();
  };
  /** @type {(boxes: Box[]) => void} */
  const avoid = (boxes) => { numbers = boxes; again(); };

  return { place, around, make, watch, avoid, again };
})();

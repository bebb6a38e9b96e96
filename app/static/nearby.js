// @ts-check
// Where a position lies among areas, worked out in the browser: the position is sent nowhere.
"use strict";

const Nearby = (() => {
  /**
   * A point as longitude and latitude, and an area as its rings of such points.
   * @typedef {[number, number]} Spot
   * @typedef {{ rings: Spot[][] }} Area
   */
  const DEGREE_M = 111195; // of latitude, on a sphere of 6,371 km
  const WAYS = /** @type {const} */ (["north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"]);

  /**
   * Meters east and north of `from`; near enough within a city.
   * @type {(from: Spot, to: Spot) => Spot}
   */
  const offset = (from, to) => [(to[0] - from[0]) * DEGREE_M * Math.cos((from[1] * Math.PI) / 180), (to[1] - from[1]) * DEGREE_M];
  /**
   * Whether rings hold a point, by the even-odd rule, so that a hole is outside.
   * @type {(rings: Spot[][], at: Spot) => boolean}
   */
  const holds = (rings, [x, y]) => {
    let inside = false;
    for (const ring of rings) {
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
        const [[ax, ay], [bx, by]] = [ring[i], ring[j]];
        if ((ay > y) !== (by > y) && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
      }
    }
    return inside;
  };
  /**
   * Meters east and north from a point to the nearest one of a side.
   * @type {(at: Spot, from: Spot, to: Spot) => Spot}
   */
  const toSide = (at, from, to) => {
    const [[ax, ay], [bx, by]] = [offset(at, from), offset(at, to)];
    const [dx, dy] = [bx - ax, by - ay];
    const length = dx * dx + dy * dy;
    const share = length ? Math.min(1, Math.max(0, -(ax * dx + ay * dy) / length)) : 0;
    return [ax + share * dx, ay + share * dy];
  };
  /**
   * The number of the area that a point is in, else of the nearest one: meters to it (0 inside)
   * and which way.
   * @type {(areas: Area[], at: Spot) => { number: number, metres: number, way: typeof WAYS[number] | "" } | null}
   */
  const find = (areas, at) => {
    let best = null;
    for (const [number, { rings }] of areas.entries()) {
      if (holds(rings, at)) return { number, metres: 0, way: "" };
      for (const ring of rings) {
        for (let i = 1; i < ring.length; i += 1) {
          const step = toSide(at, ring[i - 1], ring[i]);
          const metres = Math.hypot(...step);
          if (!best || metres < best.metres) best = { number, metres, way: WAYS[Math.round(((Math.atan2(step[0], step[1]) * 4) / Math.PI + 8)) % 8] };
        }
      }
    }
    return best;
  };
  return { find, holds };
})();

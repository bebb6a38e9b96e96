import assert from "node:assert/strict";
import { test } from "node:test";

import { load, plain } from "./loading.mjs";

const { Nearby } = load(["nearby.js"], ["Nearby"]);
const LAT = 36;
const EAST_M = 111195 * Math.cos((LAT * Math.PI) / 180);
/** A point some meters east and north of the middle of the town. */
const spot = (east, north) => [-78.9 + east / EAST_M, LAT + north / 111195];
const square = (name, east, north, side) => ({
  name, rings: [[[0, 0], [side, 0], [side, side], [0, side], [0, 0]].map(([x, y]) => spot(east + x, north + y))],
});
const zones = [square("one", 0, 0, 100), square("two", 300, 0, 100)];

test("a position in a zone is in it, whatever is near", () => {
  const found = Nearby.find(zones, spot(99, 99));
  assert.deepEqual([zones[found.number].name, found.metres, found.way], ["one", 0, ""]);
});

test("a position outside is so far from the nearest side, and which way is said of eight", () => {
  for (const [east, north, name, metres, way] of [
    [120, 50, "one", 20, "west"], [290, 50, "two", 10, "east"], [350, 130, "two", 30, "south"],
    [50, -40, "one", 40, "north"], [-30, -30, "one", Math.hypot(30, 30), "northeast"], [430, 130, "two", Math.hypot(30, 30), "southwest"],
  ]) {
    const found = Nearby.find(zones, spot(east, north));
    assert.equal(zones[found.number].name, name);
    assert.ok(Math.abs(found.metres - metres) < 0.5, `${found.metres} for ${metres}`);
    assert.equal(found.way, way);
  }
});

test("a hole is outside, and no zones have no nearest one", () => {
  const ring = square("ring", 0, 0, 100);
  ring.rings.push(...square("hole", 40, 40, 20).rings);
  assert.equal(Nearby.holds(ring.rings, spot(50, 50)), false);
  assert.equal(Nearby.holds(ring.rings, spot(20, 50)), true);
  assert.equal(Math.round(Nearby.find([ring], spot(50, 55)).metres), 5);
  assert.equal(Nearby.find([], spot(0, 0)), null);
});

test("what is found holds no more than was given", () => {
  assert.deepEqual(Object.keys(plain(Nearby.find(zones, spot(0.1, 0.1)))).sort(), ["metres", "number", "way"]);
});

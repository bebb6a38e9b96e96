import assert from "node:assert/strict";
import { test } from "node:test";

import { load, plain } from "./loading.mjs";

const { Symbols } = load(["symbols.js"], ["Symbols"]);

const spots = Array.from({ length: 300 }, (_, i) => ({
  lat: (i * 37) % 211, lon: (i * 53) % 307, reach: i % 50 ? 250 : 0, district: `D${i % 3}`, number: i % 4,
}));
const pixel = ({ lat, lon }) => ({ x: lon, y: lat });
const sum = (list) => list.reduce((total, { number }) => total + number, 0);

test("clusters count every spot once, at the middle of what they count", () => {
  for (const across of [0, 20, 46, 400]) {
    const clusters = Symbols.bin(spots, pixel, across);
    assert.equal(sum(clusters), sum(spots));
    for (const { number, spots: own, at } of clusters) {
      assert.equal(number, sum(own));
      const x = own.reduce((total, spot) => total + spot.lon * spot.number, 0) / number;
      assert.ok(Math.abs(at.x - x) < 1e-6);
    }
  }
  assert.ok(Symbols.bin(spots, pixel, 46).length < Symbols.bin(spots, pixel, 20).length);
});

test("nothing in a hexagon is farther from its middle than the hexagon reaches", () => {
  for (const { spots: own } of Symbols.bin(spots, pixel, 46)) {
    for (const one of own) for (const other of own) assert.ok(Math.hypot(one.lat - other.lat, one.lon - other.lon) <= (46 * 2) / Math.sqrt(3) + 1e-9);
  }
});

test("what is known by district alone is one number a district, in no hexagon", () => {
  const whole = Symbols.bin(spots, pixel, 46).filter(({ spots: own }) => own.some(({ reach }) => !reach));
  for (const { spots: own } of whole) assert.equal(new Set(own.map(({ reach, district }) => `${reach} ${district}`)).size, 1);
  assert.equal(whole.length, new Set(spots.filter(({ reach, number }) => !reach && number).map(({ district }) => district)).size);
});

test("the area of a disc is its number, and the largest is bounded", () => {
  const [one, four, most] = [1, 4, 87].map((number) => Symbols.radius(number, 87, 22));
  assert.ok(Math.abs(four / one - 2) < 1e-9);
  assert.ok(most <= 22 && most > 15);
  assert.deepEqual(plain([1, 3, 7, 12, 200, 201].map(Symbols.round)), [1, 5, 10, 20, 200, 500]);
});

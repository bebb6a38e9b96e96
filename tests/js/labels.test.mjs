import assert from "node:assert/strict";
import { test } from "node:test";

import { load, plain } from "./loading.mjs";

const { Labels } = load(["labels.js"], ["Labels"]);

const item = (x, y, more = {}) => ({ width: 40, height: 16, spots: Labels.around([x - 20, y - 8, x + 20, y + 8], 40, 16), ...more });
const box = ({ width, height }, [x, y]) => [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
const meet = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

test("no two labels meet, and the more important keep their places", () => {
  let seed = 7;
  const next = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647; };
  const items = Array.from({ length: 120 }, () => item(next() * 500, next() * 400, { strict: next() < 0.5 }));
  const spots = Labels.place(items);
  const boxes = spots.flatMap((spot, i) => (spot ? [box(items[i], spot)] : []));
  assert.ok(boxes.length > 20 && boxes.length < 120, String(boxes.length));
  boxes.forEach((one, i) => boxes.slice(i + 1).forEach((other) => assert.ok(!meet(one, other))));
  assert.deepEqual(plain(spots[0]), plain(items[0].spots[0]));
});

test("a number stands beside an outline that is smaller than it, and within a larger one", () => {
  const ring = (x, y, reach) => Array.from({ length: 40 }, (_, i) => [x + reach * Math.cos(i / 6.4), y + reach * Math.sin(i / 6.4)]);
  const near = { width: 24, height: 16, strict: true };
  const small = { ...near, spots: Labels.around([92, 92, 108, 108], 24, 16) };
  const large = { ...near, spots: Labels.around([50, 50, 150, 150], 24, 16) };
  const [beside] = Labels.place([small], ring(100, 100, 8));
  const [within] = Labels.place([large], ring(100, 100, 50));
  assert.ok(!ring(100, 100, 8).some(([x, y]) => Math.abs(x - beside[0]) < 12 && Math.abs(y - beside[1]) < 8));
  assert.deepEqual(plain(within), [100, 100]);
});

test("a number without a place off every outline is hidden, a name is not", () => {
  const dots = Array.from({ length: 40 }, (_, i) => Array.from({ length: 40 }, (_, j) => [i * 5, j * 5])).flat();
  const spots = Labels.place([item(100, 100, { strict: true }), item(100, 100)], dots);
  assert.equal(spots[0], null);
  assert.ok(spots[1]);
});

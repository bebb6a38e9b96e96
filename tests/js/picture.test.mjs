import assert from "node:assert/strict";
import { test } from "node:test";

import { load, plain } from "./loading.mjs";

const { Picture } = load(["picture.js"], ["Picture"]);
const pen = { measureText: (text) => ({ width: 10 * text.length }) };

test("a text is broken between words where a line would be too wide", () => {
  assert.deepEqual(plain(Picture.lines(pen, "one two  three", 80)), ["one two", "three"]);
  assert.deepEqual(plain(Picture.lines(pen, "one two", 70)), ["one two"], "a line may be as wide as there is room");
});

test("a word that is too long has a line of its own, and is not cut", () => {
  assert.deepEqual(plain(Picture.lines(pen, "a neighbourhood b", 50)), ["a", "neighbourhood", "b"]);
  assert.deepEqual(plain(Picture.lines(pen, "  ", 50)), []);
});

test("a legend has as many columns of 300 pixels as fit, at least one, over the whole width", () => {
  assert.deepEqual(plain(Picture.columnsOf(200)), { columns: 1, wide: 200 });
  assert.deepEqual(plain(Picture.columnsOf(627)), { columns: 1, wide: 627 });
  assert.deepEqual(plain(Picture.columnsOf(628)), { columns: 2, wide: 300 });
  const { columns, wide } = Picture.columnsOf(1344);
  assert.equal(columns * wide + (columns - 1) * 28, 1344);
});

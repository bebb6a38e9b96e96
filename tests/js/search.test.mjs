import assert from "node:assert/strict";
import { test } from "node:test";

import { load, plain } from "./loading.mjs";

const { Search } = load(["search.js"], ["Search"]);
const FILE = {
  kinds: { 0: "street", 1: "crossing", 2: "park", 3: "neighbourhood" },
  districts: { 0: "D1", 1: "D2" },
  names: ["North Main Street", "Oak Avenue", "Oak Park", "Saint Élise Road", "Second Street", "Oakdale"],
  spots: [
    [0, [0], 36.1, -39.1, 0],
    [0, [1], 36.2, -39.2, 1],
    [1, [0, 1], 36.3, -39.3, 1],
    [2, [2], 36.4, -39.4, 0],
    [0, [3], 36.5, -39.5, 0],
    [0, [4], 36.6, -39.6, 0],
    [3, [5], 36.7, -39.7, 0],
  ],
};
const { names, spots } = Search.read(FILE);
const namesOf = (text, most) => plain(Search.find(names, spots, text, most)).map((spot) => spot.name);

test("a file of names is read with its kinds, places and districts", () => {
  assert.deepEqual(plain(spots[2]), { kind: "crossing", names: [0, 1], at: [36.3, -39.3], district: "D2" });
  assert.deepEqual(plain(names[0].words), ["n", "main", "st"]);
});

test("usual words may be written long or short, with or without accents", () => {
  for (const text of ["north main street", "N Main St", "n. main str"]) assert.deepEqual(namesOf(text), ["North Main Street"]);
  assert.deepEqual(namesOf("st elise rd"), ["Saint Élise Road"]);
  assert.deepEqual(namesOf("2nd st"), ["Second Street"]);
});

test("two streets are sought as their crossing, in either order and in two languages", () => {
  for (const text of ["main & oak", "oak and main", "Oak Ave @ Main", "main y oak", "Oak / N Main"]) {
    assert.deepEqual(namesOf(text), ["North Main Street & Oak Avenue"]);
  }
});

test("streets that do not cross are found each by itself", () => {
  assert.deepEqual(namesOf("main & second"), ["North Main Street", "Second Street"]);
});

test("the beginning of a word is enough, and a whole word comes first", () => {
  assert.deepEqual(namesOf("oak"), ["Oak Avenue", "Oak Park", "Oakdale"]);
  assert.deepEqual(namesOf("oakd"), ["Oakdale"]);
});

test("one slip of a long word is forgiven only where nothing fits without", () => {
  for (const text of ["maim street", "mian street", "mainn street", "elsie road"]) assert.equal(namesOf(text).length, 1, text);
  assert.deepEqual(namesOf("oka"), [], "three letters are too few to guess at");
  assert.deepEqual(namesOf("xyz street"), []);
});

test("no more are found than asked for, and nothing for nothing", () => {
  assert.equal(namesOf("oak", 2).length, 2);
  assert.deepEqual(namesOf("  , "), []);
});

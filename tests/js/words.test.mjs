import assert from "node:assert/strict";
import { test } from "node:test";

import { load, part } from "./loading.mjs";

const wordsIn = (lang, texts = {}) => load(["words.js"], ["Words"], { lang, parts: { words: part({ dataset: { texts: JSON.stringify(texts) } }) } }).Words;

test("a text is filled in with its values, each as often as it stands there", () => {
  const words = wordsIn("en", { zone: "Zone {rank}, {rank} of {count}", plain: "No {braces" });
  assert.equal(words.say("zone", { rank: 1, count: 5 }), "Zone 1, 1 of 5");
  assert.equal(words.say("plain"), "No {braces");
});

test("a value is not read as a pattern", () => {
  assert.equal(wordsIn("en", { here: "{what}!" }).say("here", { what: "$& {what}" }), "$& {what}!");
});

test("numbers and days follow the language of the page", () => {
  const day = new Date("2026-01-05T00:00:00Z");
  assert.equal(wordsIn("en").number(1234567), "1,234,567");
  assert.equal(wordsIn("en").day(day), "January 5, 2026");
  assert.equal(wordsIn("es").day(day), "5 de enero de 2026");
});

test("a day is told as UTC has it, whatever the clock of the machine", () => {
  assert.equal(wordsIn("en").day(new Date("2026-01-05T23:59:59Z")), "January 5, 2026");
});

test("lengths are in the units of the city", () => {
  const texts = JSON.stringify({ feet: "{n} feet", miles: "{n} miles", meters: "{n} m", kilometers: "{n} km" });
  const words = (units) => load(["words.js"], ["Words"], { parts: { words: part({ dataset: { texts, units } }) } }).Words;
  assert.deepEqual([20, 250, 1500].map(words("us").length), ["70 feet", "820 feet", "0.9 miles"]);
  assert.deepEqual([20, 254, 1500].map(words("metric").length), ["20 m", "250 m", "1.5 km"]);
});

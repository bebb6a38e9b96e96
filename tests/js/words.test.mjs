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

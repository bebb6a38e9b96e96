// What scripts say: their texts stand in the page, in its language; numbers and dates follow it.
"use strict";

const Words = (() => {
  const texts = JSON.parse(document.getElementById("words").dataset.texts);
  const tongue = `${document.documentElement.lang}-US`; // as app/language.py has it

  // Give a text with its {names} filled in; `say("zone", { rank: 1 })`.
  const say = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const number = (value) => value.toLocaleString(tongue);
  const day = (date) => date.toLocaleDateString(tongue, { year: "numeric", month: "long", day: "numeric", timeZone: "UTC" });
  return { say, number, day };
})();

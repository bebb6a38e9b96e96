// @ts-check
// What scripts say: their texts stand in the page, in its language; numbers and dates follow it.
"use strict";

const Words = (() => {
  /** @type {Record<string, string>} */
  const texts = JSON.parse(document.getElementById("words").dataset.texts);
  const tongue = `${document.documentElement.lang}-US`; // as app/language.py has it

  /**
   * A text with its {names} filled in; `say("zone", { rank: 1 })`.
   * @type {(key: string, values?: Record<string, string | number>) => string}
   */
  const say = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  /** @type {(value: number) => string} */
  const number = (value) => value.toLocaleString(tongue);
  /** @type {(date: Date) => string} */
  const day = (date) => date.toLocaleDateString(tongue, { year: "numeric", month: "long", day: "numeric", timeZone: "UTC" });
  const us = document.getElementById("words").dataset.units === "us";
  /**
   * A length in meters, about as exact as approximate places are, in the units of the city.
   * @type {(metres: number) => string}
   */
  const length = (metres) => {
    const [small, large, most] = us ? [metres / 0.3048, metres / 1609.344, 1000] : [metres, metres / 1000, 1000];
    if (small < most) return say(us ? "feet" : "meters", { n: number(Math.max(1, Math.round(small / 10)) * 10) });
    return say(us ? "miles" : "kilometers", { n: number(Number(large.toFixed(1))) });
  };
  return { say, number, day, length, us };
})();

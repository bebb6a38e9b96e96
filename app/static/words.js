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
  return { say, number, day };
})();

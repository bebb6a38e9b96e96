// @ts-check
// One choice of weeks, district, kind and layers for map, figures and tables. It lives in the form
// and in the address; whoever draws something is told by the event "saferground:filter".
"use strict";

const Filter = (() => {
  const WEEKS_SHOWN = 13; // without a choice, as on the server
  const form = document.getElementById("filter");
  /** @type {(name: string) => Part} */
  const field = (name) => document.getElementById(name);
  const boxes = () => [...document.querySelectorAll("#layers input")];
  /** @type {(name: string) => string} */
  const value = (name) => (field(name) ? field(name).value : "");

  const CROSS = ["hours", "weekdays", "months"];
  /** @type {(name: string) => Part[]} */
  const cross = (name) => [...document.querySelectorAll(".histogram input")].filter((box) => box.name === name);
  /** @type {(name: string) => string[]} none for all of them */
  const chosen = (name) => cross(name).filter((box) => box.checked).map((box) => box.value);
  /** @type {() => FilterChoice} */
  const now = () => ({
    district: value("district"),
    kind: value("class"),
    from: value("from"),
    to: value("to"),
    layers: new Set(boxes().filter((box) => box.checked).map((box) => box.value)),
    hours: chosen("hours"), weekdays: chosen("weekdays"), months: chosen("months"),
  });
  const tell = (restored = false) => document.dispatchEvent(new CustomEvent("saferground:filter", { detail: { ...now(), restored } }));

  const layers = () => {
    const same = boxes().every((box) => box.checked === box.hasAttribute("data-default"));
    return same ? "" : boxes().filter((box) => box.checked).map((box) => box.value).join(",") || "none";
  };
  /** @type {(step: boolean) => void} */
  const remember = (step) => {
    const { district, kind, from, to } = now();
    const some = Object.fromEntries(CROSS.map((name) => [name, chosen(name).join(",")]));
    Address.put({ district, class: kind, from, to, layers: layers(), ...some }, step);
  };
  const changed = ({ step = true } = {}) => {
    remember(step);
    tell();
  };

  const restore = () => {
    const said = Address.read();
    /** @type {(name: string, otherwise: string) => void} */
    const put = (name, otherwise) => {
      if (!field(name)) return;
      field(name).value = said.get(name) || otherwise;
      if (field(name).selectedIndex < 0) field(name).value = otherwise;
    };
    put("district", "");
    put("class", "");
    const weeks = field("to") ? [...field("to").options].map((option) => option.value) : [];
    put("to", weeks[weeks.length - 1]);
    put("from", weeks[Math.max(0, weeks.indexOf(value("to")) - WEEKS_SHOWN + 1)]);
    const on = said.get("layers");
    for (const box of boxes()) box.checked = on === null ? box.hasAttribute("data-default") : on.split(",").includes(box.value);
    for (const name of CROSS) {
      const values = (said.get(name) || "").split(",");
      for (const box of cross(name)) box.checked = values.includes(box.value);
    }
    tell(true);
  };

  document.addEventListener("change", (event) => {
    const target = /** @type {HTMLSelectElement} */ (event.target);
    if (target.form !== form) return undefined;
    if (target.name !== "measure" && target.name !== "then") return changed();
    remember(false);
    const said = Address.read();
    if (target.value) said.set(target.name, target.value);
    else said.delete(target.name);
    if (target.name === "measure") said.delete("layers"); // another set of them to begin with
    location.assign(`${location.pathname}?${said}`);
    return undefined;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    changed();
  });
  field("filter-submit").hidden = true;
  addEventListener("popstate", restore);

  return { now, changed, remember };
})();

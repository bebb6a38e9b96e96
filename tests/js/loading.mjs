// Loads the scripts of app/static as a page does, one after another in one context, without a page.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const STATIC = new URL("../../app/static/", import.meta.url);

/** A part of a page, as far as the scripts under test ask for it. */
export const part = (values = {}) => {
  const { attributes = [], ...rest } = values;
  return {
    hidden: false, value: "", options: [], dataset: {}, textContent: "", listeners: {},
    addEventListener(name, listener) { this.listeners[name] = listener; },
    hasAttribute: (name) => attributes.includes(name),
    getAttribute: (name) => rest[name] ?? null,
    setAttribute() {},
    ...rest,
  };
};

/** A choice of a form, which takes no value that it does not offer. */
export const choice = (...values) => {
  let index = 0;
  return Object.defineProperties(part({ options: values.map((value) => ({ value, textContent: value })) }), {
    value: { get: () => values[index] ?? "", set: (wanted) => { index = values.indexOf(wanted); } },
    selectedIndex: { get: () => index },
  });
};

/**
 * Run scripts and return what `names` are in them.
 *
 * `parts` are the parts of the page by id, `boxes` what `querySelectorAll` finds.
 */
export const load = (scripts, names, { parts = {}, boxes = [], query = "", lang = "en" } = {}) => {
  const listeners = {};
  const events = [];
  const steps = [];
  const location = { search: query, pathname: "/map/" };
  const go = (kind) => (_state, _title, address) => {
    location.search = address.includes("?") ? address.slice(address.indexOf("?")) : "";
    steps.push([kind, address]);
  };
  const document = {
    documentElement: { lang },
    getElementById: (id) => parts[id] ?? null,
    querySelector: () => null,
    querySelectorAll: () => boxes,
    addEventListener: (name, listener) => { listeners[name] = listener; },
    dispatchEvent: (event) => events.push(event),
  };
  const context = vm.createContext({
    document, location, URLSearchParams, console, CustomEvent,
    history: { pushState: go("step"), replaceState: go("same") },
    addEventListener: (name, listener) => { listeners[name] = listener; },
  });
  for (const script of scripts) vm.runInContext(readFileSync(new URL(script, STATIC), "utf8"), context, { filename: script });
  const found = Object.fromEntries(names.map((name) => [name, vm.runInContext(name, context)]));
  return { ...found, listeners, events, steps, location };
};

/** A value of another context as one of this, so that both can be compared. */
export const plain = (value) => JSON.parse(JSON.stringify(value));

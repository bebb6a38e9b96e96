import assert from "node:assert/strict";
import { test } from "node:test";

import { choice, load, part, plain } from "./loading.mjs";

const WEEKS = Array.from({ length: 20 }, (_, i) => `2025-W${String(i + 1).padStart(2, "0")}`);

const page = (query = "") => {
  const form = part();
  const boxes = ["zones", "districts", "surface"].map((value) => part({ value, checked: value !== "surface", attributes: value === "surface" ? [] : ["data-default"] }));
  const parts = {
    filter: form, "filter-submit": part(),
    district: choice("", "D1", "D2"), class: choice("", "single"), from: choice(...WEEKS), to: choice(...WEEKS),
  };
  return { form, boxes, parts, ...load(["address.js", "filter.js"], ["Address", "Filter"], { parts, boxes, query }) };
};

test("without a choice the last thirteen weeks are shown", () => {
  const { Filter, listeners } = page();
  listeners.popstate();
  const now = Filter.now();
  assert.equal(now.to, WEEKS[19]);
  assert.equal(now.from, WEEKS[7]);
  assert.deepEqual([...now.layers], ["zones", "districts"]);
});

test("what the address says is chosen, and what it says wrongly is not", () => {
  const { Filter, listeners, events } = page("?district=D2&class=nothing&to=2025-W10&layers=surface");
  listeners.popstate();
  const now = Filter.now();
  assert.deepEqual([now.district, now.kind, now.to], ["D2", "", "2025-W10"]);
  assert.equal(now.from, WEEKS[0], "thirteen weeks before the tenth there is none");
  assert.deepEqual([...now.layers], ["surface"]);
  assert.equal(events.at(-1).detail.restored, true);
});

test("layers stand in the address only where they are not those of the beginning", () => {
  const { Filter, boxes, location } = page();
  Filter.changed();
  assert.equal(new URLSearchParams(location.search).get("layers"), null);
  boxes[0].checked = false;
  Filter.changed();
  assert.equal(new URLSearchParams(location.search).get("layers"), "districts");
  boxes[1].checked = false;
  Filter.changed();
  assert.equal(new URLSearchParams(location.search).get("layers"), "none");
});

test("a change is a step that back undoes, and is told to whoever draws", () => {
  const { Filter, parts, form, steps, events, listeners } = page();
  parts.district.value = "D1";
  listeners.change({ target: { form, name: "district" } });
  assert.equal(steps.at(-1)[0], "step");
  assert.match(steps.at(-1)[1], /^\/map\/\?district=D1/);
  assert.equal(events.at(-1).detail.district, "D1");
  const before = steps.length;
  Filter.remember(true);
  assert.equal(steps.length, before, "what has not changed is no step");
});

test("a change outside of the form is none of its business", () => {
  const { steps, events, listeners } = page();
  const before = events.length;
  listeners.change({ target: { form: part(), name: "district" } });
  assert.equal(steps.length + events.length, before);
});

test("the address loses what is empty and keeps what others wrote", () => {
  const { Address, location, steps } = page("?zone=D1-01&district=D1");
  Address.put({ district: "", class: "single" });
  assert.deepEqual(plain(Object.fromEntries(new URLSearchParams(location.search))), { zone: "D1-01", class: "single" });
  assert.equal(steps.at(-1)[0], "same");
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { load, plain } from "./loading.mjs";

const { VisitQueue } = load(["log.js"], ["VisitQueue"]);
const HOUR = 60 * 60 * 1000;
const visit = (id, values = {}) => ({ id, city: "town", district: "D1", person: "otto", run: "r", zone: "Z1", unit: "A1", start_ms: 1000, end_ms: 2000, activity: "foot patrol", note: "", state: "waits", ...values });

test("what another script broke in the store counts as nothing", () => {
  assert.deepEqual(plain(VisitQueue.parse(null)), []);
  assert.deepEqual(plain(VisitQueue.parse("{broken")), []);
  assert.deepEqual(plain(VisitQueue.parse('{"id": 1}')), []);
  assert.deepEqual(plain(VisitQueue.parse(JSON.stringify([visit("a")]))), [visit("a")]);
});

test("only visits that were sent, have ended and are a day old are forgotten", () => {
  const old = { start_ms: 0, end_ms: 1 };
  const kept = [
    visit("waits", old), visit("refused", { ...old, state: "refused" }),
    visit("runs", { start_ms: 0, end_ms: null, state: "sent" }), visit("young", { start_ms: HOUR, end_ms: 2 * HOUR, state: "sent" }),
  ];
  const found = VisitQueue.young([...kept, visit("old", { ...old, state: "sent" })], 24 * HOUR);
  assert.deepEqual(plain(found), kept);
});

test("visits are sent 25 at a time, and those that are no longer to be sent not at all", () => {
  const many = Array.from({ length: 30 }, (_, i) => visit(`v${i}`, { state: i === 3 ? "sent" : "waits" }));
  const sent = VisitQueue.waiting(many);
  assert.equal(sent.length, 25);
  assert.ok(!sent.some((one) => one.id === "v3"));
  assert.equal(sent[0].id, "v0", "the oldest first");
});

test("who and where are not sent with a visit, as the server knows them", () => {
  const { visits } = VisitQueue.body([visit("a", { tried: true })]);
  assert.deepEqual(Object.keys(plain(visits)[0]).sort(), ["activity", "end_ms", "id", "note", "run", "start_ms", "unit", "zone"]);
});

test("a visit that the server took is sent, and one that ended meanwhile still waits", () => {
  const before = [visit("a"), visit("b", { end_ms: null })];
  const now = [visit("a"), visit("b", { end_ms: 5000 }), visit("c")];
  const after = VisitQueue.answered(now, before, { taken: [{ id: "a" }, { id: "b" }], refused: [] });
  assert.deepEqual(after.map((one) => one.state), ["sent", "waits", "waits"]);
});

test("a visit that the server refused says why, and is not sent again", () => {
  const [one] = VisitQueue.answered([visit("a")], [visit("a")], { taken: [], refused: [{ id: "a", why: "it ends before it starts" }] });
  assert.deepEqual([one.state, one.why], ["refused", "it ends before it starts"]);
  assert.deepEqual(plain(VisitQueue.waiting([one])), []);
});

test("taking back drops what the server cannot have, and withdraws what it may have", () => {
  const other = visit("other");
  assert.deepEqual(plain(VisitQueue.undone([other, visit("a")], visit("a"))), [other]);
  for (const values of [{ tried: true }, { state: "sent" }]) {
    const one = visit("a", { ...values, end_ms: null });
    const [, taken] = VisitQueue.undone([other, one], one);
    assert.deepEqual([taken.dropped, taken.end_ms, taken.state], [true, one.start_ms, "waits"]);
  }
});

test("an id made of random bytes is a version 4 UUID", () => {
  const id = VisitQueue.uuid(new Uint8Array(16).fill(255));
  assert.equal(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
  assert.match(VisitQueue.uuid(new Uint8Array(16)), /^00000000-0000-4000-8000-000000000000$/);
});

// @ts-check
// The board: every half minute the numbers are fetched anew, and the map where a state changed.
"use strict";

(() => {
  const frame = document.getElementById("board");
  if (!frame) return;
  const EVERY_MS = 30000;
  const fresh = document.getElementById("board-fresh");
  let before = [...frame.querySelectorAll("tr[data-zone] [data-cell=words]")].map((cell) => cell.textContent).join("|");

  /** @type {(row: HTMLElement, values: Record<string, string | number>) => void} */
  const put = (row, values) => {
    for (const cell of row.querySelectorAll("[data-cell]")) {
      const text = String(values[cell.dataset.cell]);
      if (cell.textContent !== text) cell.textContent = text;
    }
  };
  /** @type {(board: { at: string, zones: Record<string, any>[], units: Record<string, any>[], [sum: string]: any }) => void} */
  const show = (board) => {
    for (const cell of frame.querySelectorAll("[data-sum]")) cell.textContent = board[cell.dataset.sum];
    const at = document.getElementById("board-at");
    if (at) at.textContent = board.at;
    const rows = new Map([...frame.querySelectorAll("tr[data-zone]")].map((row) => [row.dataset.zone, row]));
    for (const zone of board.zones) {
      const row = rows.get(zone.code);
      if (!row) continue;
      put(row, zone);
      row.className = `board-${zone.state.replace(" ", "-")}`;
    }
    const units = new Map([...frame.querySelectorAll("tr[data-unit]")].map((row) => [row.dataset.unit, row]));
    for (const unit of board.units) {
      const row = units.get(unit.unit);
      if (row) put(row, unit);
      else location.reload(); // a unit that was on no plan has come
    }
    const now = board.zones.map((zone) => zone.words).join("|");
    if (now !== before) StaffMap.show(frame.querySelector(".staff-map"));
    before = now;
  };
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(frame.dataset.state, { redirect: "manual", cache: "no-store", headers: { Accept: "application/json" } });
      if (answer.type === "opaqueredirect") { fresh.textContent = "Your session has ended; reload the page to sign in."; return; }
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
      if (fresh.textContent) fresh.textContent = "";
    } catch {
      fresh.textContent = "The board cannot be refreshed at the moment; what it shows grows old.";
    }
  };
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
  frame.addEventListener("board:refresh", refresh);
})();

// @ts-check
// The form that asks for a run: it counts the incidents of the period, and draws the grid, without
// being sent. Without this script the button "Preview the grid" sends it and the page tells both.
"use strict";

(() => {
  const form = document.querySelector(".run-form");
  if (!form) return;
  /** @type {(name: string) => Part} */
  const part = (name) => form.querySelector(`[data-part=${name}]`);
  /** @type {(name: string) => string} */
  const value = (name) => form.elements[name].value.trim();
  let asked = 0;

  /** @type {(address: string, values: Record<string, any>) => Promise<any>} */
  const load = async (address, values) => {
    const answer = await fetch(`${address}?${new URLSearchParams(values)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  };

  const count = async () => {
    const mine = asked += 1;
    try {
      const told = await load(form.dataset.incidents, { outcome: value("outcome"), first: value("first"), last: value("last") });
      if (mine === asked) part("period").textContent = told.told;
    } catch (error) {
      if (mine === asked) part("period").textContent = "These days cannot be counted; look at both dates.";
    }
  };
  for (const name of ["outcome", "first", "last"]) form.elements[name].addEventListener("change", count);
  count();

  // How much of their budget zones would take.
  const deciding = ["outcome", "cell", "area_share", "min_cells", "max_cells", "max_zones", "city_zones",
    "least_compactness", "least_expected", "allotment", "zones_from", "barriers"];
  let weighed = 0;
  const weigh = async () => {
    const mine = weighed += 1;
    let told = "";
    try {
      told = (await load(form.dataset.budget, Object.fromEntries(deciding.map((name) => [name, value(name)])))).told;
    } catch (error) { /* what was told before no longer holds */ }
    if (mine !== weighed) return;
    part("budget").textContent = told;
    part("budget").hidden = !told;
  };
  form.addEventListener("change", ({ target }) => { if (deciding.includes(/** @type {HTMLInputElement} */ (target).name)) weigh(); });

  // Of the factors that are taken: the farthest influence, and how many columns they make.
  const tried = () => {
    let [blocks, candidates] = [1, 0];
    for (const one of form.querySelectorAll("input[name$=-max_blocks]")) {
      /** @type {(name: string) => Part} */
      const of = (name) => form.elements[one.name.replace("max_blocks", name)];
      const reach = Number(one.value);
      if (!of("taken").checked || !(reach >= 1 && reach <= 20)) continue;
      blocks = Math.max(blocks, reach);
      candidates += reach * (of("step").value === "half" ? 2 : 1) * (of("operation").value === "both" ? 2 : 1);
    }
    return { blocks, candidates };
  };
  const frame = part("map").querySelector(".staff-map");
  const step = part("preview");
  let refused = false;
  step.addEventListener("click", async (event) => {
    const values = { cell: value("cell"), block: value("block"), ...tried() };
    if (refused || !(Number(values.cell) > 0) || !(Number(values.block) > 0)) return; // sent, so that the page says why
    event.preventDefault();
    part("cells").textContent = "Laying the grid…";
    try {
      const told = await load(form.dataset.grid, values);
      part("map").hidden = false;
      part("cells").textContent = told.told;
      part("warning").textContent = told.warning;
      part("warning").hidden = !told.warning;
      await StaffMap.show(frame, told);
    } catch (error) {
      refused = true;
      step.click();
    }
  });
})();

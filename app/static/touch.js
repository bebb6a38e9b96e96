// @ts-check
// The map under fingers: one finger scrolls the page, two move the map, and what is tapped is told in
// a sheet at the bottom of the screen.
"use strict";

document.addEventListener("saferground:map", ({ detail: { map } }) => {
  /** @type {(name: string) => Part} */
  const page = (name) => document.getElementById(name);
  const coarse = matchMedia("(pointer: coarse)");
  const frame = page("map-frame"), hint = page("two-fingers");
  /** @type {number | undefined} */
  let gone;

  const fit = () => {
    if (coarse.matches) map.dragging.disable();
    else map.dragging.enable();
  };
  coarse.addEventListener("change", fit);
  fit();
  frame.addEventListener("touchmove", ({ touches }) => {
    if (!coarse.matches) return;
    clearTimeout(gone);
    hint.hidden = touches.length > 1;
    gone = window.setTimeout(() => { hint.hidden = true; }, 1200);
  }, { passive: true });

  // Of the two panels the one that was filled last lies in front of the other.
  document.body.classList.add("bottom-sheet");
  const panels = [page("here"), page("zone-panel")];
  const watch = new MutationObserver((changes) => {
    const last = /** @type {HTMLElement} */ (changes[changes.length - 1].target);
    const panel = panels.find((one) => one.contains(last));
    for (const one of panels) one.classList.toggle("behind", one !== panel && !panel.hidden);
  });
  for (const panel of panels) watch.observe(panel, { attributes: true, attributeFilter: ["hidden"], childList: true, subtree: true });
});

// A page about long work asks again and again how far it is; when it has ended, the page is read
// anew and tells what became of it. Every text is set as text.
"use strict";

(() => {
  const frame = document.querySelector("[data-work]");
  if (!frame) return;
  const part = (name) => frame.querySelector(`[data-part=${name}]`);
  const QUICK = 2000;
  const SLOW = 30000;
  let pause = QUICK;
  let timer = 0;

  // What is read out loud is touched only when it says something new.
  const tell = (name, text) => {
    const place = part(name);
    if (place.textContent !== text) place.textContent = text;
  };
  const show = (told) => {
    tell("words", told.words.charAt(0).toUpperCase() + told.words.slice(1));
    tell("stage", told.stage);
    tell("worker", told.worker);
    part("worker").hidden = !told.worker;
    const running = told.percent !== null;
    part("far").hidden = part("left").hidden = !running;
    if (!running) return;
    part("bar").value = told.percent;
    tell("share", told.share);
    tell("remaining", told.remaining);
    tell("method", told.method);
  };
  const look = async () => {
    try {
      const answer = await fetch(frame.dataset.work, { headers: { Accept: "application/json" }, redirect: "error", cache: "no-store" });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const told = await answer.json();
      show(told);
      if (told.ended) {
        location.reload();
        return;
      }
      pause = QUICK;
    } catch (error) {
      console.warn("how far the work is cannot be told at the moment", error);
      pause = Math.min(2 * pause, SLOW);
    }
    later(document.hidden ? SLOW : pause);
  };
  const later = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(look, wait);
  };
  document.addEventListener("visibilitychange", () => { // whoever comes back sees what is now
    pause = QUICK;
    if (!document.hidden) later(0);
  });
  later(QUICK);
})();

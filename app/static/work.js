// @ts-check
// Pages about long work ask again and again how far it is; when it has ended, the page is read anew
// and tells what became of it. A page about one piece asks for its state; a page that lists work
// asks for itself and renews its lists. Every text is set as text, or comes from the page itself.
"use strict";

(() => {
  const SLOW_MS = 30000;

  /**
   * Look every so many milliseconds while `goesOn`, less often in the background or after a failure.
   * @type {(look: () => Promise<void>, quickMs: number, goesOn: () => boolean) => void}
   */
  const repeat = (look, quickMs, goesOn) => {
    let pause = quickMs;
    let timer = 0;
    const again = async () => {
      try {
        await look();
        pause = quickMs;
      } catch (error) {
        console.warn("how far the work is cannot be told at the moment", error);
        pause = Math.min(2 * pause, SLOW_MS);
      }
      later(document.hidden ? SLOW_MS : pause);
    };
    /** @type {(wait: number) => void} */
    const later = (wait) => {
      clearTimeout(timer);
      if (goesOn()) timer = setTimeout(again, wait);
    };
    document.addEventListener("visibilitychange", () => { // whoever comes back sees what is now
      pause = quickMs;
      if (!document.hidden) later(0);
    });
    later(quickMs);
  };
  /** @type {(address: string, headers: Record<string, string>) => Promise<Response>} */
  const get = async (address, headers) => {
    const answer = await fetch(address, { headers, redirect: "error", cache: "no-store" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer;
  };

  // One piece of work. What is read out loud is touched only when it says something new.
  const frame = document.querySelector("[data-work]");
  let ended = false;
  /** @type {(name: string) => any} */
  const part = (name) => frame.querySelector(`[data-part=${name}]`);
  /** @type {(name: string, text: string) => void} */
  const put = (name, text) => {
    const place = part(name);
    if (place.textContent !== text) place.textContent = text;
  };
  /**
   * @typedef {{ words: string, stage: string, worker: string, ended: boolean, percent: number | null,
   *   share: string, remaining: string, method: string }} State
   * @type {(state: State) => void}
   */
  const show = (state) => {
    put("words", state.words.charAt(0).toUpperCase() + state.words.slice(1));
    put("stage", state.stage);
    put("worker", state.worker);
    part("worker").hidden = !state.worker;
    const running = state.percent !== null;
    part("far").hidden = part("left").hidden = !running;
    if (!running) return;
    part("bar").value = state.percent;
    put("share", state.share);
    put("remaining", state.remaining);
    put("method", state.method);
  };
  const lookAtOne = async () => {
    const answer = await get(frame.dataset.work, { Accept: "application/json" });
    const state = await answer.json();
    show(state);
    ended = state.ended;
    if (ended) location.reload();
  };

  // Lists of work.
  const lists = () => [...document.querySelectorAll("[data-going-on]")];
  const lookAtLists = async () => {
    const answer = await get(location.href, { "X-By-Itself": "1" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const list of lists()) {
      const now = page.getElementById(list.id);
      if (!now || !now.hasAttribute("data-going-on")) {
        ended = true;
        location.reload();
        return;
      }
      if (now.innerHTML !== list.innerHTML) list.replaceWith(document.importNode(now, true));
    }
  };

  if (frame) repeat(lookAtOne, 2000, () => !ended);
  else repeat(lookAtLists, 3000, () => !ended && lists().length > 0);
})();

// A page that lists long work renews those lists while any of it goes on, and is read anew when it
// has ended, so that what was made stands there at once. Every text comes from the page itself.
"use strict";

(() => {
  const QUICK = 3000;
  const SLOW = 30000;
  const going = () => [...document.querySelectorAll("[data-going-on]")];
  let pause = QUICK;
  let timer = 0;

  const look = async () => {
    try {
      const answer = await fetch(location.href, { headers: { "X-By-Itself": "1" }, redirect: "error", cache: "no-store" });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const list of going()) {
        const now = page.getElementById(list.id);
        if (!now || !now.hasAttribute("data-going-on")) { location.reload(); return; }
        if (now.innerHTML !== list.innerHTML) list.replaceWith(document.importNode(now, true));
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
    if (going().length) timer = setTimeout(look, wait);
  };
  document.addEventListener("visibilitychange", () => { // whoever comes back sees what is now
    if (!document.hidden) later(0);
  });
  later(QUICK);
})();

// @ts-check
// The address holds what is seen, so that back and share work. A step is one that back undoes.
"use strict";

const Address = (() => {
  const read = () => new URLSearchParams(location.search);
  /** @type {(changes: Record<string, string | null>, step?: boolean) => void} */
  const put = (changes, step = false) => {
    const now = read();
    for (const [name, value] of Object.entries(changes)) {
      if (value) now.set(name, value);
      else now.delete(name);
    }
    const query = now.toString();
    if (query === read().toString()) return;
    const address = query ? `${location.pathname}?${query}` : location.pathname;
    if (step) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  };
  return { read, put };
})();

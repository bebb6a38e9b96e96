// @ts-check
// Files that are handed in: one that is too long is told before it is sent. Addresses that are being
// fetched: the page looks again by itself.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("input[type=file][data-most]")) {
    const told = document.getElementById(`${field.id}-length`);
    const check = () => {
      const file = field.files && field.files[0];
      const long = Boolean(file) && file.size > Number(field.dataset.most);
      told.hidden = !long;
      field.setAttribute("aria-invalid", long ? "true" : "false");
      return long;
    };
    field.addEventListener("change", check);
    field.form.addEventListener("submit", (/** @type {Event} */ event) => {
      if (!check()) return;
      event.preventDefault();
      field.focus();
    });
  }
  const again = document.querySelector("[data-again]");
  if (again) setTimeout(() => location.reload(), 1000 * Number(again.dataset.again));
});

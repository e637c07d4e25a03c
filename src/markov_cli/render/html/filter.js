// Search fields: each hides the elements of its class that do not contain its text, and says how many are left.
"use strict";
(() => {
  const plain = (s) => s.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  for (const field of document.querySelectorAll("input[data-filters]")) {
    const items = [...document.getElementsByClassName(field.dataset.filters)].flatMap((one) => [
      ...(one.tagName === "TABLE" || one.querySelector("tbody") ? one.querySelectorAll("tbody tr") : [one]),
    ]);
    const texts = items.map((one) => plain(one.textContent));
    const line = field.closest(".search");
    const said = line.querySelector("output");
    line.hidden = false;
    field.addEventListener("input", () => {
      const asked = plain(field.value.trim());
      let left = 0;
      items.forEach((one, i) => {
        one.hidden = !texts[i].includes(asked);
        left += one.hidden ? 0 : 1;
      });
      said.textContent = asked ? `${left} of ${items.length}` : "";
    });
  }
})();

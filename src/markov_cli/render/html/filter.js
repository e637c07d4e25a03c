// Search fields: each hides the table rows in elements of its class that do not contain its text, and counts the rest.
"use strict";
(() => {
  // a search finds words whatever their case and accents
  const plain = (s) => s.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  for (const field of document.querySelectorAll("input[data-filters]")) {
    const places = [...document.getElementsByClassName(field.dataset.filters)];
    const rows = places.flatMap((place) => [...place.querySelectorAll("tbody tr")]);
    const texts = rows.map((row) => plain(row.textContent));
    const line = field.closest(".search");
    const said = line.querySelector("output");
    line.hidden = false;
    field.addEventListener("input", () => {
      const asked = plain(field.value.trim());
      let left = 0;
      rows.forEach((row, i) => {
        row.hidden = !texts[i].includes(asked);
        left += row.hidden ? 0 : 1;
      });
      for (const place of places) place.classList.toggle("filtered", asked !== ""); // on paper, all of what was found
      said.textContent = asked ? `${left.toLocaleString("en")} of ${rows.length.toLocaleString("en")}` : "";
    });
  }
})();

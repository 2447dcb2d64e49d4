// Shows of the table of claims the rows that fit all filters.
"use strict";

(() => {
  const form = document.querySelector(".claims-filter");
  const rows = [...document.querySelectorAll("table.claims tbody tr")];
  const fits = (row, { dataset, value }) =>
    dataset.filter === "text" ? row.textContent.toLowerCase().includes(value.toLowerCase()) : !value || row.dataset[dataset.filter] === value;
  const show = () => {
    const filters = [...form.querySelectorAll("[data-filter]")];
    for (const row of rows) row.hidden = !filters.every((filter) => fits(row, filter));
    form.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();

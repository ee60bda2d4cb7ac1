// After htmx has brought a fresh part: what the reader had opened stays open, and the countdowns learn the new time.
const opened = new Set();

document.addEventListener("htmx:beforeSwap", (event) => {
  opened.clear();
  for (const one of event.detail.target.querySelectorAll("details[id]")) if (one.open) opened.add(one.id);
});

document.addEventListener("htmx:afterSwap", (event) => {
  for (const one of event.detail.target.querySelectorAll("details[id]")) if (opened.has(one.id)) one.open = true;
  const clock = event.detail.target.querySelector("[data-now]");
  if (clock) document.dispatchEvent(new CustomEvent("labelyard:clock", { detail: clock.dataset.now }));
});

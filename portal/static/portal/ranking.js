// Ranks anew whenever something the ranking depends on is changed; without it, the button "Rank again" does the same.
const form = document.querySelector("#job-form");
const region = document.querySelector("#ranking");
const IGNORED = new Set(["title", "instructions", "classes", "records", "gold", "budget", "max_overlap"]);
const PAUSE_MS = 300;
let timer, newest = 0;

async function rank() {
  const turn = ++newest;
  const data = new FormData(form);
  for (const name of IGNORED) data.delete(name);
  data.set("action", "part");
  region.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(location.pathname, { method: "POST", body: data });
    if (!answer.ok || answer.redirected || turn !== newest) return;
    const focused = region.contains(document.activeElement) ? document.activeElement.name : null;
    region.innerHTML = await answer.text();
    if (focused) form.elements.namedItem(focused)?.focus();
  } catch {
    // The service is away for a moment; the next change asks again.
  } finally {
    region.setAttribute("aria-busy", "false");
  }
}

form.addEventListener("input", (event) => {
  if (IGNORED.has(event.target.name)) return;
  clearTimeout(timer);
  timer = setTimeout(rank, PAUSE_MS);
});

// Brings new offers in every few seconds, unless the reader is busy inside the list.
const region = document.querySelector("[data-refresh]");
const PERIOD_MS = 4000;

function busy() {
  return document.hidden || region.contains(document.activeElement) || region.querySelector("[aria-invalid]");
}

async function refresh() {
  if (!busy()) {
    try {
      const answer = await fetch(region.dataset.refresh, { headers: { "X-Requested-With": "fetch" } });
      if (answer.ok && !answer.redirected && !busy()) {
        region.innerHTML = await answer.text();
        const clock = region.querySelector("[data-now]");
        if (clock) document.dispatchEvent(new CustomEvent("labelyard:clock", { detail: clock.dataset.now }));
      }
    } catch {
      // The service is away for a moment; the countdowns go on and the next turn asks again.
    }
  }
  setTimeout(refresh, PERIOD_MS);
}

if (region) setTimeout(refresh, PERIOD_MS);

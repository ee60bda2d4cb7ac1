// Replaces the contents of [data-live] with a fresh part of the page every so often, while the page is in view.
const region = document.querySelector("[data-live]");

async function refresh() {
  if (!document.hidden) {
    try {
      const answer = await fetch(region.dataset.live, { headers: { "X-Requested-With": "fetch" } });
      if (answer.ok) region.innerHTML = await answer.text();
    } catch (error) {
      region.querySelector(".stamp").textContent = "The service does not answer; trying again.";
    }
  }
  setTimeout(refresh, Number(region.dataset.everyMs));
}

if (region) setTimeout(refresh, Number(region.dataset.everyMs));

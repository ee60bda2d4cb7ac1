// Runs every [data-countdown] down by the server's clock: the page says what time it was there when it was made.
let offset = Date.parse(document.body.dataset.now) - performance.now();

function words(seconds) {
  if (seconds <= 0) return "time is up";
  const units = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  const first = units.findIndex(([n]) => n > 0);
  return units.slice(first, first + 2).map(([n, unit]) => `${n} ${unit}`).join(" ");
}

function tick() {
  const now = offset + performance.now();
  for (const time of document.querySelectorAll("[data-countdown]")) {
    const seconds = Math.floor((Date.parse(time.dateTime) - now) / 1000);
    time.textContent = words(seconds);
    time.classList.toggle("late", seconds <= 0);
    time.classList.toggle("soon", seconds > 0 && seconds < 30);
  }
}

document.addEventListener("labelyard:clock", (event) => { offset = Date.parse(event.detail) - performance.now(); tick(); });
tick();
setInterval(tick, 1000);

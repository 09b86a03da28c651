// Turns the moments of a page into "5 minutes ago", in the page's language; the full text stays as the tooltip.
const lang = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(lang, { numeric: "always" });
const day = new Intl.DateTimeFormat(lang, { dateStyle: "long" });

function words(then, now) {
  const seconds = (now - then) / 1000;
  if (seconds < -60) return null; // still to come: the text of the server stays
  if (seconds < 60) return document.body.dataset.justNow;
  if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86400) return relative.format(-Math.floor(seconds / 3600), "hour");
  if (seconds < 7 * 86400) return relative.format(-Math.floor(seconds / 86400), "day");
  return day.format(then);
}

function show() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[datetime*='T']")) {
    if (time.closest(".prose")) continue; // an author's own words
    const text = words(Date.parse(time.dateTime), now);
    if (!text || text === time.textContent) continue;
    time.title ||= time.textContent;
    time.textContent = text;
  }
}

show();
setInterval(show, 30_000);
document.addEventListener("visibilitychange", show);

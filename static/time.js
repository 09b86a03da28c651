// Turns the moments of a page into "5 minutes ago", in the page's language; the full text stays as the tooltip.
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always" });
const steps = [[86400, "day"], [3600, "hour"], [60, "minute"]]; // seconds

function words(seconds, full) {
  const day = full.replace(/ \d\d:\d\d$/, ""); // in the site's own time zone, so that a post has one date for all
  if (seconds < -10) return full; // still to come: when exactly is what counts; a slow clock here is no matter
  if (seconds >= 7 * 86400) return day;
  const [length, unit] = steps.find(([length]) => seconds >= length) ?? [];
  return unit ? relative.format(-Math.floor(seconds / length), unit) : document.body.dataset.justNow;
}

function show() {
  for (const time of document.querySelectorAll("time[datetime*='T']")) {
    if (time.closest(".prose")) continue; // an author's own words
    time.title ||= time.textContent;
    const text = words((Date.now() - Date.parse(time.dateTime)) / 1000, time.title);
    if (text !== time.textContent) time.textContent = text;
  }
}

show();
setInterval(show, 30_000);
document.addEventListener("visibilitychange", show);

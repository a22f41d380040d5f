// How long it takes from following a link to a play page until the first picture is presented.
// Arguments: browser, its path, URL of the page, how often. Each time the browser has forgotten everything.

import { until, withPage } from "./driver.mjs";

const [browser, path, url, times] = process.argv.slice(2);

await withPage(browser, path, async (page) => {
  await page.evaluateOnNewDocument(() => {
    const watch = () => {
      const video = document.querySelector("video");
      if (video) {
        video.requestVideoFrameCallback((now) => (globalThis.firstPicture = now));
      } else {
        requestAnimationFrame(watch);
      }
    };
    watch();
  });
  const milliseconds = [];
  let way = "";
  for (let number = 0; number < Number(times); number++) {
    await page.goto("about:blank");
    await page.setCacheEnabled(false);
    await page.goto(url, { waitUntil: "load" });
    milliseconds.push(await until(page, () => globalThis.firstPicture, 20));
    way = await page.evaluate(() => document.querySelector(".player").dataset.way);
  }
  return { milliseconds, way };
});

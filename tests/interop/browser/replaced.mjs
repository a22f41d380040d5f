// A film that is replaced while it is watched: what is there now plays on from the same place.
// Arguments: browser, its path, URL of the film's page, path of the film, path of what replaces it.

import { renameSync } from "node:fs";
import { stateOf, until, withPage } from "./driver.mjs";

const [browser, path, url, film, other] = process.argv.slice(2);

await withPage(browser, path, async (page) => {
  const plays = (from) => document.querySelector("video").currentTime > from + 0.3;
  await page.goto(url, { waitUntil: "load" });
  await until(page, plays, 20, 0);
  renameSync(other, film);
  // the server looks at a file that it knows once a second
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await page.evaluate(() => (document.querySelector("video").currentTime = 80));
  await until(page, () => {
    const video = document.querySelector("video");
    const isOn = !video.seeking && video.currentTime > 80.3;
    return isOn || document.querySelector(".message:not([hidden])") !== null;
  }, 20);
  return { ...(await stateOf(page)) };
});

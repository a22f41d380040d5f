// The keys of the play page and of a folder's page.
// Arguments: browser, its path, URL of the folder's page, name of a file.

import { until, withPage } from "./driver.mjs";

const [browser, path, folder, name] = process.argv.slice(2);

await withPage(browser, path, async (page) => {
  await page.goto(folder, { waitUntil: "load" });
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("href") ?? document.activeElement.name);
  const found = {};
  await page.keyboard.press("ArrowRight");
  found.first = await focused();
  await page.keyboard.press("ArrowRight");
  found.second = await focused();
  await page.keyboard.press("ArrowLeft");
  found.back = await focused();
  await page.keyboard.press("/");
  found.search = await focused();
  await page.goto(`${folder}${encodeURIComponent(name)}/`, { waitUntil: "load" });
  await until(page, () => document.querySelector("video")?.currentTime > 0.1, 20);
  const video = (what) => page.evaluate((property) => document.querySelector("video")[property], what);
  await page.keyboard.press("k");
  found.paused = await video("paused");
  await page.keyboard.press("5");
  await until(page, () => !document.querySelector("video").seeking, 20);
  found.middle = await video("currentTime");
  await page.keyboard.press("l");
  found.on = await video("currentTime");
  await page.keyboard.press("j");
  found.before = await video("currentTime");
  await page.keyboard.press("m");
  found.muted = await video("muted");
  await page.keyboard.press(">");
  found.faster = await video("playbackRate");
  await page.keyboard.press("<");
  await page.keyboard.press("<");
  found.slower = await video("playbackRate");
  await page.keyboard.press("?");
  found.help = await page.evaluate(() => document.querySelector("dialog").open);
  await page.keyboard.press("Escape");
  found.helpGone = await page.evaluate(() => !document.querySelector("dialog").open);
  await page.keyboard.press(" ");
  found.playing = !(await video("paused"));
  return found;
});

// From a folder's page to each of some films, as a viewer: click, see it play, go to its middle.
// Arguments: browser, its path, URL of the folder's page, names of files; behind a name may stand a query for its page.

import { stateOf, until, withPage } from "./driver.mjs";

const [browser, path, folder, ...names] = process.argv.slice(2);

// How long it takes, in seconds, on a machine that has other things to do.
const PATIENCE = 20;

function plays(from) {
  const video = document.querySelector("video");
  const isThere = video && !video.paused && !video.seeking && video.currentTime > from + 0.3;
  return isThere || document.querySelector(".message:not([hidden])") !== null;
}

async function play(page, argument) {
  const [name, query] = argument.split("?");
  await page.goto(folder, { waitUntil: "load" });
  const link = await page.waitForSelector(`.card a[href="${encodeURIComponent(name)}/"]`);
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), link.click()]);
  if (query) {
    await page.goto(`${page.url()}?${query}`, { waitUntil: "load" });
  }
  await until(page, plays, PATIENCE, 0);
  const begun = await stateOf(page);
  const bar = await (await page.waitForSelector(".seek")).boundingBox();
  await page.mouse.click(bar.x + bar.width / 2, bar.y + bar.height / 2);
  await until(page, plays, PATIENCE, begun.duration / 2 - 0.2);
  const sought = await stateOf(page);
  return { begun, sought };
}

await withPage(browser, path, async (page) => {
  const films = {};
  for (const name of names) {
    films[name] = await play(page, name).catch((error) => ({ failure: String(error) }));
  }
  return { films };
});

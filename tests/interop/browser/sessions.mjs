// The page of the sessions: waits for a viewer, sees it get on, and ends it.
// Arguments: browser, its path, URL of the page.

import { until, withPage } from "./driver.mjs";

const [browser, path, url] = process.argv.slice(2);
const PATIENCE = 20;

await withPage(browser, path, async (page) => {
  await page.goto(url, { waitUntil: "load" });
  const row = await until(page, () => document.querySelector(".live.on") && document.querySelector("tbody tr")?.textContent, PATIENCE);
  const first = await page.$eval("tbody tr td:nth-child(6)", (cell) => cell.textContent);
  await until(page, (sent) => document.querySelector("tbody tr td:nth-child(6)").textContent !== sent, PATIENCE, first);
  await page.click("tbody tr .act button");
  await page.click("tbody tr .act button");
  await until(page, () => document.querySelector("tbody tr") === null, PATIENCE);
  const nobody = await page.$eval(".nothing", (message) => !message.hidden);
  return { row, nobody };
});

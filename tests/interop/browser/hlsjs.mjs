// Another player of HLS: hls.js, on a page of the test's own.
// Arguments: browser, its path, URL of a page that takes ?<URL of a playlist>, URLs of playlists.

import { until, withPage } from "./driver.mjs";

const [browser, path, host, ...playlists] = process.argv.slice(2);

await withPage(browser, path, async (page) => {
  const played = {};
  for (const playlist of playlists) {
    await page.goto(`${host}?${encodeURIComponent(playlist)}`, { waitUntil: "load" });
    await until(page, () => globalThis.outcome, 20);
    played[playlist] = await page.evaluate(() => globalThis.outcome);
  }
  return { played };
});

// Ranges of a file as a script of a browser asks for them.
// Arguments: browser, its path, URL of a page, URL of a file, JSON of values of the Range header.

import { withPage } from "./driver.mjs";

const [browser, path, url, file, ranges] = process.argv.slice(2);

await withPage(browser, path, async (page) => {
  await page.goto(url, { waitUntil: "load" });
  const answers = await page.evaluate(async (address, values) => {
    const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const one = async (value) => {
      const response = await fetch(address, { headers: { Range: value }, cache: "no-store" });
      const body = await response.arrayBuffer();
      const digest = hex(await crypto.subtle.digest("SHA-256", body));
      return [response.status, response.headers.get("Content-Range"), body.byteLength, digest];
    };
    const found = [];
    for (let start = 0; start < values.length; start += 6) {
      found.push(...(await Promise.all(values.slice(start, start + 6).map(one))));
    }
    return found;
  }, file, JSON.parse(ranges));
  return { answers };
});

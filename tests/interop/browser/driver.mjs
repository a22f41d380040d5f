// The browsers: Chromium over its own protocol, Firefox over WebDriver BiDi, both without a window.

import puppeteer from "puppeteer-core";

const BROWSERS = {
  chromium: {
    browser: "chrome",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"],
  },
  firefox: {
    browser: "firefox",
    extraPrefsFirefox: { "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0, "media.default_volume": "0.0" },
  },
};

// Opens a page of a new browser, lets the script have it, and prints what it comes to as JSON.
export async function withPage(name, executablePath, use) {
  const browser = await puppeteer.launch({ ...BROWSERS[name], executablePath, headless: true });
  let result;
  try {
    const page = await browser.newPage();
    const complaints = await listen(page);
    const vain = [];
    // the player says which ways it tried in vain
    page.on("console", (message) => message.type() === "info" && vain.push(message.text()));
    result = { ...(await use(page)), complaints: await complaints(), vain };
  } catch (error) {
    result = { failure: String(error?.stack ?? error) };
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(result));
}

// What a page complains of: errors of its script and on the console, and what its policy has forbidden.
async function listen(page) {
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    const where = message.location()?.url ?? "";
    // a picture that there is none of is no error of the page
    if (message.type() === "error" && !where.endsWith(".jpg")) {
      complaints.push(`console: ${message.text()} ${where}`);
    }
  });
  await page.evaluateOnNewDocument(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      globalThis.violations.push(`policy: ${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  return async () => [...complaints, ...(await page.evaluate(() => globalThis.violations ?? []))];
}

// Waits until what a function says in the page is true, and gives it; it gets the arguments.
export async function until(page, what, seconds, ...given) {
  const handle = await page.waitForFunction(what, { timeout: seconds * 1000, polling: 50 }, ...given);
  return handle.jsonValue();
}

// What the video is doing.
export function stateOf(page) {
  return page.evaluate(() => {
    const video = document.querySelector("video");
    return {
      way: document.querySelector(".player").dataset.way,
      time: video.currentTime,
      duration: video.duration,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      width: video.videoWidth,
      note: document.querySelector(".note:not([hidden])")?.textContent ?? "",
      message: document.querySelector(".message:not([hidden])")?.textContent ?? "",
    };
  });
}

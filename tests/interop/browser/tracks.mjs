// Another sound and subtitles, by the menus of the play page. What is heard and seen is looked at, not only asked for:
// the strongest frequency of the sound, and the number that the picture's bars show.
// Arguments: browser, its path, URL of the play page.

import { stateOf, until, withPage } from "./driver.mjs";

const [browser, path, url] = process.argv.slice(2);
const PATIENCE = 20;

async function choose(page, menu, text) {
  await page.click(`button[aria-label="${menu}"]`);
  await page.evaluate((wanted) => {
    const items = [...document.querySelectorAll(".menu:not([hidden]) [role=menuitemradio]")];
    items.find((item) => item.textContent.includes(wanted)).click();
  }, text);
}

// Hz; null if nothing can be heard: Firefox keeps quiet for ever where there is no sound card.
function pitch(page) {
  return page.evaluate(async () => {
    const video = document.querySelector("video");
    if (!globalThis.ears) {
      const context = new AudioContext();
      await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 2000))]);
      const analyser = context.createAnalyser();
      analyser.fftSize = 8192;
      const source = context.createMediaElementSource(video);
      source.connect(analyser);
      source.connect(context.destination);
      globalThis.ears = { context, analyser };
    }
    const { context, analyser } = globalThis.ears;
    if (context.state !== "running") {
      return null;
    }
    await new Promise((resolve) => setTimeout(resolve, 700));
    const levels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(levels);
    const loudest = levels.reduce((best, level, bin) => (level > levels[best] ? bin : best), 0);
    return (loudest * context.sampleRate) / analyser.fftSize;
  });
}

// The number in the picture: eight bars, the highest bit first.
function shown(page) {
  return page.evaluate(() => {
    const video = document.querySelector("video");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [8, 1];
    const drawing = canvas.getContext("2d");
    drawing.drawImage(video, 0, 0, 8, 1);
    const { data } = drawing.getImageData(0, 0, 8, 1);
    let number = 0;
    for (let bar = 0; bar < 8; bar++) {
      number = number * 2 + (data[bar * 4] > 128 ? 1 : 0);
    }
    return number;
  });
}

// The numbers of the tracks whose segments were fetched, in order, as scripts are told; what a browser fetches by itself it
// does not tell.
function fetched(page) {
  return page.evaluate(() => {
    const names = performance.getEntriesByType("resource").map(({ name }) => name.match(/t([0-9]+)-[0-9]+[.]m4s$/)?.[1]);
    return names.filter(Boolean).map(Number);
  });
}

const isPlaying = (from) => {
  const video = document.querySelector("video");
  return video && !video.paused && !video.seeking && video.readyState > 2 && video.currentTime > from;
};

await withPage(browser, path, async (page) => {
  await page.goto(url, { waitUntil: "load" });
  await until(page, isPlaying, PATIENCE, 0.2);
  const first = await pitch(page);
  const sounds = await page.$$eval(".with-menu [aria-label=Sound] [role=menuitemradio]", (all) => all.map((item) => item.textContent));
  const before = (await stateOf(page)).time;
  await choose(page, "Sound", sounds[1]);
  await until(page, isPlaying, PATIENCE, before);
  const second = await pitch(page);
  if (second === null) {
    // nobody hears when the new one begins
    await until(page, () => performance.getEntriesByType("resource").some(({ name }) => /t2-[0-9]+[.]m4s$/.test(name)), PATIENCE);
  }
  const tracks = await fetched(page);
  const after = (await stateOf(page)).time;
  await choose(page, "Subtitles", "English");
  const cue = await until(page, () => {
    const track = [...document.querySelector("video").textTracks].find(({ mode }) => mode === "showing");
    return track?.activeCues?.length ? track.activeCues[0].text : null;
  }, PATIENCE);
  await page.keyboard.press("k");
  await page.evaluate(() => (document.querySelector("video").currentTime = 6.02));
  await until(page, () => !document.querySelector("video").seeking && document.querySelector("video").readyState > 1, PATIENCE);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const still = await shown(page);
  await page.mouse.move(10, 10);
  const bar = await (await page.waitForSelector(".seek")).boundingBox();
  await page.mouse.move(bar.x + bar.width / 2, bar.y + bar.height / 2);
  const preview = await until(page, () => {
    const picture = document.querySelector(".bubble img");
    return picture.complete && picture.naturalWidth > 0 && !picture.hidden ? document.querySelector(".bubble span").textContent : null;
  }, PATIENCE).catch(() => null);
  return { first, second, tracks, sounds, before, after, cue, still, preview, state: await stateOf(page) };
});

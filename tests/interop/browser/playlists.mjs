// The play page's parser of playlists, without a browser. Argument: a file of JSON, [[kind, text], …]. Prints what each
// comes to.

import { readFileSync } from "node:fs";

import { parseMedia, parseMultivariant } from "../../../mediasrv/web/static/playlist.js";

const parsers = { media: parseMedia, multivariant: parseMultivariant };
const results = JSON.parse(readFileSync(process.argv[2], "utf8")).map(([kind, text]) => {
  try {
    return parsers[kind](text, "http://media.example/a/index.m3u8");
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
});
console.log(JSON.stringify(results));

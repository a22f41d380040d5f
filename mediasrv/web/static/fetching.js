// Fetching, patiently: what fails for want of a connection is tried again.

const WAITS = [500, 1500, 4000];

export class Refused extends Error {
  constructor(url, status) {
    super(`${new URL(url).pathname.split("/").pop()}: ${status}`);
    this.status = status;
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

// The response; a 4xx stays one, however often one asks.
async function fetched(url, range, signal) {
  const headers = range ? { Range: `bytes=${range.start}-${range.end}` } : {};
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch(url, { headers, signal });
      if (response.ok) {
        return response;
      }
      throw new Refused(url, response.status);
    } catch (error) {
      const isFinal = signal?.aborted || (error instanceof Refused && error.status < 500);
      if (isFinal || attempt >= WAITS.length) {
        throw error;
      }
      await pause(WAITS[attempt], signal);
    }
  }
}

export async function fetchText(url, signal) {
  return (await fetched(url, null, signal)).text();
}

export async function fetchBytes(url, range, signal) {
  return (await fetched(url, range, signal)).arrayBuffer();
}

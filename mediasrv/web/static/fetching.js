// Fetching, patiently: what fails for want of a connection is tried again.

const WAITS = [500, 1500, 4000];

export class Refused extends Error {
  constructor(url, status) {
    super(`${new URL(url).pathname.split("/").pop()}: ${status}`);
    this.status = status;
  }
}

// No answer at all.
export class Lost extends Error {}

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
      const isAnswered = error instanceof Refused;
      if (signal?.aborted || (isAnswered && error.status < 500)) {
        throw error;
      }
      if (attempt >= WAITS.length) {
        throw isAnswered ? error : new Lost(error.message);
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

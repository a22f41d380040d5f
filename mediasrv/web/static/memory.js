// Where somebody left off, in this browser: a hundred presentations, the latest.

const KEY = "mediasrv positions";
const KEPT = 100;
// seconds between two writes
const EVERY = 5;

let written = 0;

function all() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    // none may be kept here, or it is not ours
    return {};
  }
}

// Seconds; 0 for what has not been seen, or to its end.
export function recall({ version }) {
  return Number(all()[version]) || 0;
}

export function remember({ version, duration }, seconds) {
  if (Math.abs(seconds - written) < EVERY || duration < 60) {
    return;
  }
  written = seconds;
  const { [version]: _, ...others } = all();
  const isUnderWay = seconds > 10 && seconds < duration * 0.95;
  const entries = [...Object.entries(others), ...(isUnderWay ? [[version, Math.floor(seconds)]] : [])];
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries.slice(-KEPT))));
  } catch {
    return;
  }
}

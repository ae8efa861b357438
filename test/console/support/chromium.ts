import { existsSync } from 'node:fs';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * Finds a Chromium on this machine: the one in CHROMIUM, or that of the system.
 *
 * @throws {Error} if there is none
 */
export const findChromium = (): string => {
  const found = process.env.CHROMIUM ?? places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new Error('No Chromium was found. Install it (Debian and Ubuntu: apt-get install chromium), or set CHROMIUM.');
};

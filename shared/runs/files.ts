/** `YYYYMMDD_HHMMSS`, UTC: the start of a run, for the names of its files. */
export const fileStamp = (startedAt: string): string =>
  new Date(startedAt)
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z/g, '')
    .replace('T', '_');

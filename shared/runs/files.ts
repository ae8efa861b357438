/** `YYYYMMDD_HHMMSS`, UTC: a run's start in the names of its files. */
export const fileStamp = (startedAt: string): string =>
  new Date(startedAt)
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z/g, '')
    .replace('T', '_');

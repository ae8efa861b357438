import { appendFileSync, writeFileSync } from 'node:fs';
import type { Intercept } from './lambda/call-proxies';

/**
 * Lets every call pass, and writes each that is unlike all before it to `file`, a line of JSON each:
 * `{"function":…,"service":…,"operation":…,"resource":…}`. What the file held is forgotten.
 */
export const recordCalls = (file: string): Intercept => {
  const seen = new Set<string>();
  writeFileSync(file, '');
  return ({ functionName, service, operation, resource }) => {
    const line = `${JSON.stringify({ function: functionName, service, operation, resource })}\n`;
    if (!seen.has(line)) {
      seen.add(line);
      appendFileSync(file, line);
    }
    return undefined;
  };
};

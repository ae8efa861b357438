import { appendFileSync, writeFileSync } from 'node:fs';
import type { Intercept } from './lambda/call-proxies';

/**
 * Lets every call pass, and writes each distinct call once to `file`, as one line of JSON:
 * `{"function":…,"service":…,"operation":…,"resource":…}`. Overwrites an existing file.
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

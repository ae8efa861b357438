import * as z from 'zod';
import { readStateFile, writeStateFile } from './state-files';

const fileSchema = z.record(z.string(), z.boolean());

/** What was switched on or off by a call, in contrast to the template. */
export interface Overrides {
  /** The present value, where `declared` is the template's. */
  read(name: string, declared: boolean): boolean;
  write(name: string, declared: boolean, value: boolean): void;
}

/**
 * Keeps overrides in a file. As in AWS, an override survives a deployment that does not change the declared value, because
 * CloudFormation leaves such a resource alone.
 */
export const openOverrides = (file: string): Overrides => {
  const advice = 'Delete it: everything is then as the template declares it.';
  const values = new Map(Object.entries(readStateFile(file, fileSchema, advice) ?? {}));
  const keyOf = (name: string, declared: boolean): string => `${name} ${declared ? 'on' : 'off'}`;
  return {
    read: (name, declared) => values.get(keyOf(name, declared)) ?? declared,
    write: (name, declared, value) => {
      values.set(keyOf(name, declared), value);
      writeStateFile(file, JSON.stringify(Object.fromEntries(values)));
    },
  };
};

import type { Mapping } from './event-source-mapping';
import { ServiceError } from './json-service';
import type { Overrides } from './overrides';

/** The state of an event source mapping, as Lambda names it. */
export type MappingState = 'Enabled' | 'Disabling' | 'Disabled';

/** A mapping that can be disabled and enabled. */
export interface MappingSwitch {
  readonly mapping: Mapping;
  state(): MappingState;
  /**
   * Starts or stops polling. Running batches end first; until then the state is `Disabling`.
   * @throws {ServiceError} while it is `Disabling`
   */
  setEnabled(enabled: boolean): void;
  /** Stops polling, and waits for the running batches. */
  stop(): Promise<void>;
}

/**
 * Starts the mappings that are enabled.
 *
 * @param start starts polling, and returns the function that stops it
 */
export const createMappingSwitches = (
  mappings: readonly Mapping[],
  overrides: Overrides,
  start: (mapping: Mapping) => () => Promise<void>,
): MappingSwitch[] =>
  mappings.map((mapping) => {
    const { UUID, Enabled } = mapping;
    let stopping: Promise<void> | undefined;
    let stop = overrides.read(UUID, Enabled) ? start(mapping) : undefined;
    return {
      mapping,
      state: () => (stopping ? 'Disabling' : stop ? 'Enabled' : 'Disabled'),
      setEnabled: (enabled) => {
        if (stopping) {
          throw new ServiceError('ResourceInUseException', 'The event source mapping is still being disabled.');
        }
        overrides.write(UUID, Enabled, enabled);
        if (enabled) {
          stop ??= start(mapping);
        } else if (stop) {
          stopping = stop().finally(() => {
            stopping = undefined;
          });
          stop = undefined;
        }
      },
      stop: async () => {
        await (stopping ?? stop?.());
      },
    };
  });

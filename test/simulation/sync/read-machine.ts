import { createApplication } from '../../../emulator/application';
import { readAssembly } from '../../../emulator/assembly';
import { type Machine, readStateMachines } from '../../../emulator/step-functions/definition';
import { assemblyOf } from '../../infra/synth';
import { noEndpoints } from '../../support/roles';

/** The state machine of the synthesised template. */
export const readSyncMachine = (): Machine => {
  const [machine] = readStateMachines(createApplication(readAssembly(assemblyOf('dev')), noEndpoints));
  if (machine === undefined) throw new Error('There is no state machine');
  return machine;
};

import type { Placeholders } from '../support/runbook';
import type { DrillStage } from './stage';

/** How one or several alarms are drilled: what raises them, and what lets them recover. */
export interface Drill {
  /**
   * The alarms, by name without the stage. The pattern matches the output of the runbook command that shows the cause.
   */
  readonly alarms: Readonly<Record<string, RegExp>>;
  /** What is broken, for the table. */
  readonly cause: string;
  /**
   * What the drill supplies because the cause itself cannot occur on one machine in minutes. Default: nothing, the cause is
   * real.
   */
  readonly supplied?: string;
  /** Breaks it. @returns values for the placeholders of the runbook commands */
  readonly break: (stage: DrillStage) => Promise<Placeholders>;
  /** Removes the cause. Also brings the alarms to OK before the drill, if they are not. */
  readonly fix: (stage: DrillStage) => Promise<void>;
}

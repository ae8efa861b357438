import type { Session } from '../../commands/verb';
import type { Tasks } from './tasks';

/** What the routes of the console need. */
export interface Console extends Pick<Session, 'stage' | 'stageLabel' | 'stageCommand' | 'now'> {
  /** Whether the console may change something. */
  readonly write: boolean;
  readonly tasks: Tasks;
}

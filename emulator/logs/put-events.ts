import * as z from 'zod';
import { type Action, action, ServiceError } from '../json-service';
import type { Logs } from './logs';

const where = { logGroupName: z.string(), logStreamName: z.string().regex(/^[^:*]{1,512}$/) };
const eventSchema = z.strictObject({ timestamp: z.int().min(0), message: z.string().min(1) });

/** Creates the actions that write to a log group. */
export const createPutActions = ({ logGroups, written }: Logs): Readonly<Record<string, Action>> => {
  const refuseUnknownGroup = (name: string): void => {
    if (logGroups.some((group) => group.name === name)) return;
    throw new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.');
  };

  return {
    CreateLogStream: action(where, ({ logGroupName, logStreamName }) => {
      refuseUnknownGroup(logGroupName);
      if (written.hasStream(logGroupName, logStreamName)) {
        throw new ServiceError('ResourceAlreadyExistsException', 'The specified log stream already exists');
      }
      written.createStream(logGroupName, logStreamName);
      return {};
    }),
    PutLogEvents: action(
      { ...where, sequenceToken: z.string().optional(), logEvents: z.array(eventSchema).min(1).max(10_000) },
      ({ logGroupName, logStreamName, logEvents }) => {
        refuseUnknownGroup(logGroupName);
        if (!written.hasStream(logGroupName, logStreamName)) {
          throw new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
        }
        written.put(logGroupName, logStreamName, logEvents);
        return {};
      },
    ),
  };
};

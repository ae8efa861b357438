import { type Action, createJsonListener, ServiceError } from '../json-service';
import { type Listener, type LoopbackServer, readBody, respond, serveOnLoopback } from '../loopback-server';
import { notServed } from '../not-served';
import { eventBridge } from './events';
import type { Scheduler } from './scheduler';
import { assumedRole, callerIdentity, stsRefusal } from './sts';

/** What the control plane needs from the application. */
export interface ControlPlane {
  /** The actions of EventBridge. */
  readonly ruleActions: Readonly<Record<string, Action>>;
  readonly scheduler: Scheduler;
}

const xml = { 'content-type': 'text/xml' };
const httpStatuses: Readonly<Record<string, number>> = { ResourceNotFoundException: 404, ConflictException: 409 };

/** Serves STS: who calls. */
const serveSts: Listener = async (request, response) => {
  const action = new URLSearchParams((await readBody(request)).toString()).get('Action') ?? 'a call without an action';
  if (action === 'GetCallerIdentity') return respond(response, 200, xml, callerIdentity(request.headers));
  if (action === 'AssumeRole') return respond(response, 200, xml, assumedRole(request.headers));
  respond(response, 400, xml, stsRefusal(notServed(action.replaceAll(/[^\w ]/g, ''), 'STS')));
};

/** Serves EventBridge Scheduler. */
const schedulerListener =
  (schedulerOf: () => Scheduler | undefined): Listener =>
  async (request, response) => {
    const name = decodeURIComponent(/^\/schedules\/([^/?]+)/.exec(request.url ?? '')?.[1] ?? '');
    const body = (await readBody(request)).toString();
    const headers = { 'content-type': 'application/json' };
    try {
      const result = schedulerOf()?.act(request.method ?? 'GET', name, body);
      if (!result) throw new ServiceError('InternalServerException', 'The embedded AWS is still starting.');
      respond(response, 200, headers, JSON.stringify(result));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const status = httpStatuses[error.name] ?? 400;
      respond(
        response,
        status,
        { ...headers, 'x-amzn-errortype': error.name },
        JSON.stringify({ Message: error.message }),
      );
    }
  };

/**
 * Serves the services that control the others: STS, the rules of EventBridge, and EventBridge Scheduler.
 * @param controlPlaneOf returns undefined until the application is resolved
 */
export const startControlPlane = (
  controlPlaneOf: () => ControlPlane | undefined,
  preferredPort?: number,
): Promise<LoopbackServer> => {
  const serveEvents = createJsonListener(eventBridge, () => controlPlaneOf()?.ruleActions);
  const serveScheduler = schedulerListener(() => controlPlaneOf()?.scheduler);
  return serveOnLoopback((request, response) => {
    if (request.headers['x-amz-target'] !== undefined) return serveEvents(request, response);
    return (request.url?.startsWith('/schedules/') ? serveScheduler : serveSts)(request, response);
  }, preferredPort);
};

import type { BatchSender } from '../../shared/aws/batch-sender';

/** A batch sender that sends each message at once, with `send`. */
export const unbatched = <Message>(send: BatchSender<Message>['send']): BatchSender<Message> => ({
  send,
  during: (work) => work(),
});

/** What the Operations table holds. A kind is one partition, so one query lists it. */
export const operationKinds = ['PAUSE', 'ISSUE', 'LEASE', 'UNSENT'] as const;
export type OperationKind = (typeof operationKinds)[number];

/** The key of an item of the Operations table. */
export const operationKey = <Kind extends OperationKind>(kind: Kind, id: string) => ({ kind, id });

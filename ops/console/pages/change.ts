import { useMutation, useQueryClient } from '@tanstack/react-query';

/** What a request that changes something contains, besides what it changes. */
export interface ChangeInput {
  readonly reason: string;
  readonly confirmed_stage?: string;
}

let newestReason = '';

/** The reason of the last change: the default of the next one. */
export const lastReason = (): string => newestReason;

/** Runs a change, and then reads everything that is on the screen again. */
export const useChange = (run: (input: ChangeInput) => Promise<unknown>, onDone: () => void) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: ChangeInput) => {
      newestReason = input.reason;
      return run(input);
    },
    onSuccess: () => {
      onDone();
      return client.invalidateQueries();
    },
  });
};

import { DescribeExecutionCommand, ExecutionDoesNotExist, type SFNClient } from '@aws-sdk/client-sfn';

/** Whether an execution of the state machine has ended, with any result. Step Functions forgets executions after 90 days. */
export const createHasEnded =
  (client: SFNClient) =>
  async (executionArn: string): Promise<boolean> => {
    try {
      const { status } = await client.send(new DescribeExecutionCommand({ executionArn }));
      return status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return true;
      throw error;
    }
  };

import { type App, Tags, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { Config } from './config';
import { Data } from './stacks/data';
import { Observability } from './stacks/observability';
import { OrderPipeline } from './stacks/order-pipeline';
import { SyncJobs } from './stacks/sync-jobs';

/** Name of the managed policy that an administrator creates from `lib/bootstrap/permissions-boundary.json` (docs/deploy.md). */
const boundaryName = 'marketplace-boundary';

/** Adds the stacks of one stage to `app`. cdk-nag checks them during synthesis. */
export const addPipeline = (app: App, config: Config) => {
  const data = new Data(app, config);
  const orderPipeline = new OrderPipeline(app, config, data);
  const syncJobs = new SyncJobs(app, config, data);
  const observability = new Observability(app, config, data, orderPipeline, syncJobs);

  // Whatever its policy says, a role reaches only the pipeline's own resources.
  PermissionsBoundary.of(app).apply(ManagedPolicy.fromManagedPolicyName(orderPipeline, 'boundary', boundaryName));
  Tags.of(app).add('project', 'marketplace-event-pipeline');
  Tags.of(app).add('stage', config.stage);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { data, orderPipeline, syncJobs, observability };
};

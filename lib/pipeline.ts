import { type App, Tags, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { Config } from './config';
import { Data } from './stacks/data';
import { Observability } from './stacks/observability';
import { OrderPipeline } from './stacks/order-pipeline';
import { SyncJobs } from './stacks/sync-jobs';

/** The managed policy of `lib/bootstrap/permissions-boundary.json`, which an administrator makes (docs/deploy.md). */
const boundaryName = 'marketplace-boundary';

/** Puts the stacks of one stage into `app`, checked by cdk-nag when it is synthesized. */
export function addPipeline(app: App, config: Config) {
  const data = new Data(app, config);
  const orderPipeline = new OrderPipeline(app, config, data);
  const syncJobs = new SyncJobs(app, config, data);
  const observability = new Observability(app, config, data, orderPipeline, syncJobs);

  // Whatever a template says, a role of ours reaches nothing but the pipeline's own resources.
  PermissionsBoundary.of(app).apply(ManagedPolicy.fromManagedPolicyName(orderPipeline, 'boundary', boundaryName));
  Tags.of(app).add('project', 'marketplace-event-pipeline');
  Tags.of(app).add('stage', config.stage);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { data, orderPipeline, syncJobs, observability };
}

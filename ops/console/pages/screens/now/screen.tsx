import { Link } from '@tanstack/react-router';
import { api, load } from '../../api';
import { Command } from '../../components/command';
import { Page } from '../../components/page';
import { Loaded } from '../../components/states';
import { Time } from '../../components/time';
import { useLive } from '../../live';
import { ActivityTiles } from './activity';
import { Findings, Verdict } from './findings';
import { PausedBanner } from './paused';
import { QueueTable, WaitingTable } from './queues';
import { Rest } from './rest';

/** What is wrong at the moment, and the figures of the stage. */
export const NowScreen = () => {
  const query = useLive({ url: api.status.$url(), read: () => load(api.status.$get()) });
  return (
    <Page
      title="Now"
      summary={
        query.data && (
          <>
            As of <Time at={query.data.at} />
          </>
        )
      }
      actions={<Command args="status" />}
    >
      <Loaded query={query}>
        {(status) => (
          <>
            <Verdict findings={status.findings} />
            <PausedBanner pauses={status.paused.pauses} />
            <Findings findings={status.findings} />
            <ActivityTiles activity={status.activity} bins={status.bins} />
            <QueueTable status={status} aside={<Link to="/queues">All about queues →</Link>} />
            <WaitingTable waiting={status.waiting} />
            <Rest status={status} />
          </>
        )}
      </Loaded>
    </Page>
  );
};

import { api, load } from '../../api';
import { Empty, Loaded } from '../../components/states';
import { useLive } from '../../live';
import { useSession } from '../../session';
import { LogRows } from '../logs/rows';

/** The log lines of an order, as `pipeline logs order`. */
export const OrderLogs = ({ id }: { readonly id: string }) => {
  const { local } = useSession();
  const request = { param: { id }, query: {} };
  const { logs } = api.orders[':id'];
  const query = useLive({ url: logs.$url(request), read: () => load(logs.$get(request)), isLive: local });
  return (
    <Loaded query={query}>
      {({ rows }) =>
        rows.length === 0 ? (
          <Empty title="No line was found">The logs of the last 7 days were searched.</Empty>
        ) : (
          <LogRows rows={rows.map((row) => new Map(row as [string, string][]))} />
        )
      }
    </Loaded>
  );
};

import { Badge, type Tone } from '../../components/badge';

const tones: Readonly<Record<string, Tone>> = {
  SUCCEEDED: 'good',
  PARTIAL: 'warning',
  WAITING: 'warning',
  FAILED: 'bad',
  TIMED_OUT: 'bad',
};

/** The status of a run, or of one of its jobs. */
export const RunStatusBadge = ({ status }: { readonly status: string }) => (
  <Badge tone={tones[status] ?? 'neutral'}>{status.toLowerCase().replace('_', ' ')}</Badge>
);

import * as z from 'zod';
import { required } from '../../shared/config';
import { portalVariables } from '../../shared/netlife/portals';
import { runVariables } from '../../shared/runs/variables';

export const configSchema = z.object({ ...runVariables, ...portalVariables, NETLIFE_SECRET_ARN: required });

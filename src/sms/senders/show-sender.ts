import type { Sender } from '../../partners/index.js';

export type ShownSender = ReturnType<typeof showSender>;

/** A sender of the inventory as the API shows it (schema Sender). */
export const showSender = (sender: Sender) => ({
  address: sender.address,
  type: sender.type,
  direction: sender.direction ?? (sender.replies ? ('both' as const) : ('mt' as const)),
  markets: sender.markets,
  use: sender.use,
  replies: sender.replies,
  group: sender.group,
  status: sender.status,
  ...(sender.registration !== undefined && { registration: sender.registration }),
  ...(sender.segmentsPerSecondMax !== undefined && { segmentsPerSecondMax: sender.segmentsPerSecondMax }),
});
